/* Characters beyond ASCII: decoding, classes, lower case.
 *
 * Classes come from the Python that runs (characters.py), in two steps: a page for every
 * 256 code points, and its entries. Lower case follows Python's str.lower, which is full
 * mapping (one character may become up to three) with the rule of the final sigma.
 */
#ifndef SPARSE_ADAGRAD_CHARACTERS_H
#define SPARSE_ADAGRAD_CHARACTERS_H

#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include "document.h"

/* An entry: how far away the lower-case character is, modulo 2^21, or with SA_EXPANDS
 * where its characters stand; and bits of what the character is. The same bits stand in
 * characters.py. */
enum {
    SA_DISTANCE = (1 << 21) - 1,
    SA_IN_WORD = 1 << 21,   /* \w */
    SA_WHITE = 1 << 22,     /* \s */
    SA_CASED = 1 << 23,     /* a letter of either case, for the final sigma */
    SA_IGNORABLE = 1 << 24, /* passed over where one looks for such a letter */
    SA_EXPANDS = 1 << 25,
};
enum { SA_MOST_LOWER = 3, SA_SIGMA = 0x3A3 };

/* What most characters below SA_FOLDED_END become in words: up to three bytes of UTF-8,
 * lowered where asked for, and above them how many and whether they are of a word. Or
 * SA_NOT_FOLDED, where it takes a closer look. The same stands in characters.py. */
enum {
    SA_FOLDED_END = 1 << 16,
    SA_FOLDED_LENGTH = 24,
    SA_FOLDED_IN_WORD = 1 << 26,
    SA_NOT_FOLDED = 1 << 27,
};

typedef struct sa_characters {
    const uint16_t *pages;
    const uint32_t *entries;
    const uint32_t *expansions; /* three each, 0 where there are fewer */
    const uint32_t *folded;
    /* The same with SA_CASED and SA_IGNORABLE, which take long to find; NULL if they
     * could not be: what is made of the document does not count then. */
    const struct sa_characters *(*with_cases)(void);
} sa_characters;

/* Tables that threads may look for while one sets them: the pages come last. */
static inline int sa_are_there(const sa_characters *all)
{
#ifdef __GNUC__
    return __atomic_load_n(&all->pages, __ATOMIC_ACQUIRE) != NULL;
#else
    return *(const uint16_t *const volatile *)&all->pages != NULL;
#endif
}

static inline void sa_set(sa_characters *all, const uint16_t *pages,
                          const uint32_t *entries)
{
    all->entries = entries;
#ifdef __GNUC__
    __atomic_store_n(&all->pages, pages, __ATOMIC_RELEASE);
#else
    *(const uint16_t *volatile *)&all->pages = pages;
#endif
}

static inline uint32_t sa_entry(const sa_characters *all, uint32_t c)
{
    return all->entries[(uint32_t)all->pages[c >> 8] << 8 | (c & 255)];
}

static inline int sa_is_surrogate(uint32_t c) { return c >> 11 == 0xD800 >> 11; }

/* ------------------------------------------------------------------------- decode */

static inline int sa_follows(unsigned char byte) { return byte >> 6 == 2; }

/* No code point: what is there is cut off, too long, a surrogate's, or beyond the last. */
#define SA_INVALID (~(uint32_t)0)

/* The code point of UTF-8 at `*at`, which then is behind it. */
static inline uint32_t sa_next_utf8(const unsigned char *data, int64_t size, int64_t *at)
{
    const unsigned char *s = data + *at;
    const int64_t left = size - *at;
    uint32_t c = *s;
    if (c < 0x80) {
        *at += 1;
        return c;
    }
    if (c >= 0xC2 && c < 0xE0 && left > 1 && sa_follows(s[1])) {
        *at += 2;
        return (c & 0x1F) << 6 | (s[1] & 0x3Fu);
    }
    if (c >= 0xE0 && c < 0xF0 && left > 2 && sa_follows(s[1]) && sa_follows(s[2])) {
        *at += 3;
        c = (c & 0x0F) << 12 | (s[1] & 0x3Fu) << 6 | (s[2] & 0x3Fu);
        return c < 0x800 || sa_is_surrogate(c) ? SA_INVALID : c;
    }
    if (c >= 0xF0 && c < 0xF5 && left > 3 && sa_follows(s[1]) && sa_follows(s[2])
        && sa_follows(s[3])) {
        *at += 4;
        c = (c & 0x07) << 18 | (s[1] & 0x3Fu) << 12 | (s[2] & 0x3Fu) << 6
            | (s[3] & 0x3Fu);
        return c < 0x10000 || c > 0x10FFFF ? SA_INVALID : c;
    }
    return SA_INVALID;
}

/* The code point of a document at `*at`, which then is behind it. The encoding is the
 * document's, told apart so that a constant makes a loop of its own. */
static inline uint32_t sa_next(const sa_document *document, int64_t encoding, int64_t *at)
{
    switch (encoding) {
    case SA_UTF8:
        return sa_next_utf8(document->data, document->size, at);
    case SA_UCS2:
        return ((const uint16_t *)document->data)[(*at)++];
    case SA_UCS4:
        return ((const uint32_t *)document->data)[(*at)++];
    default:
        return ((const uint8_t *)document->data)[(*at)++];
    }
}

/* The code point before `*at`, which then is where it starts. */
static uint32_t sa_previous(const sa_document *document, int64_t *at)
{
    *at -= 1;
    if (document->encoding == SA_UTF8)
        while (*at && sa_follows(((const unsigned char *)document->data)[*at]))
            *at -= 1;
    int64_t end = *at;
    return sa_next(document, document->encoding, &end);
}

/* Code points of a document, which has no more of them than its size; -1 where it is
 * not valid UTF-8. */
static ptrdiff_t sa_decode(const sa_document *document, uint32_t *out)
{
    uint32_t *const start = out;
    for (int64_t at = 0; at < document->size; out++) {
        *out = sa_next(document, document->encoding, &at);
        if (*out == SA_INVALID)
            return -1;
    }
    return out - start;
}

/* Write a character as UTF-8, with up to three bytes of no meaning behind it; return its
 * length. A surrogate gets three bytes, which nobody is given to read. */
static inline int sa_encode(uint32_t c, char *out)
{
    if (c < 0x80) {
        out[0] = (char)c;
        return 1;
    }
    if (c < 0x800) {
        out[0] = (char)(0xC0 | c >> 6);
        out[1] = (char)(0x80 | (c & 0x3F));
        return 2;
    }
    if (c < 0x10000) {
        out[0] = (char)(0xE0 | c >> 12);
        out[1] = (char)(0x80 | (c >> 6 & 0x3F));
        out[2] = (char)(0x80 | (c & 0x3F));
        return 3;
    }
    out[0] = (char)(0xF0 | c >> 18);
    out[1] = (char)(0x80 | (c >> 12 & 0x3F));
    out[2] = (char)(0x80 | (c >> 6 & 0x3F));
    out[3] = (char)(0x80 | (c & 0x3F));
    return 4;
}

/* -------------------------------------------------------------------------- lower */

/* Whether a sigma ends a word: a letter before it, none behind it. It stands from `start`
 * to before `end`. */
static int sa_is_final_sigma(const sa_characters *all, const sa_document *document,
                             int64_t start, int64_t end)
{
    uint32_t entry = 0;
    all = all->with_cases();
    if (!all)
        return 0;
    do
        entry = start > 0 ? sa_entry(all, sa_previous(document, &start)) : 0;
    while (entry & SA_IGNORABLE);
    if (!(entry & SA_CASED))
        return 0;
    do {
        const uint32_t c = end < document->size
            ? sa_next(document, document->encoding, &end)
            : SA_INVALID;
        entry = c == SA_INVALID ? 0 : sa_entry(all, c);
    } while (entry & SA_IGNORABLE);
    return !(entry & SA_CASED);
}

/* Lower case of the character `c`, which stands from `start` to before `end`. Returns how
 * many characters it has, up to SA_MOST_LOWER. */
static inline int sa_lower_one(const sa_characters *all, const sa_document *document,
                               uint32_t c, int64_t start, int64_t end, uint32_t *out)
{
    const uint32_t entry = sa_entry(all, c);
    if (c == SA_SIGMA)
        *out = sa_is_final_sigma(all, document, start, end) ? 0x3C2 : 0x3C3;
    else if (entry & SA_EXPANDS) {
        const uint32_t *lower = all->expansions + SA_MOST_LOWER * (entry & SA_DISTANCE);
        int k = 0;
        for (; k < SA_MOST_LOWER && lower[k]; k++)
            out[k] = lower[k];
        return k;
    }
    else
        *out = (c + entry) & SA_DISTANCE;
    return 1;
}

/* Lower case of n characters; `out` has room for SA_MOST_LOWER times as many. */
static ptrdiff_t sa_lower(const sa_characters *all, const uint32_t *s, ptrdiff_t n,
                          uint32_t *out)
{
    const uint32_t *const start = out;
    const sa_document document = {s, n, SA_UCS4};
    for (ptrdiff_t i = 0; i < n; i++)
        out += sa_lower_one(all, &document, s[i], i, i + 1, out);
    return out - start;
}

#endif
