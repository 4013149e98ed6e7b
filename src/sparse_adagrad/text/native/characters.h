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
enum { SA_MOST_LOWER = 3 };

typedef struct {
    const uint16_t *pages;
    const uint32_t *entries;
    const uint32_t *expansions; /* three each, 0 where there are fewer */
} sa_characters;

static inline uint32_t sa_entry(const sa_characters *all, uint32_t c)
{
    return all->entries[(uint32_t)all->pages[c >> 8] << 8 | (c & 255)];
}

static inline int sa_is_surrogate(uint32_t c) { return c >> 11 == 0xD800 >> 11; }

static int sa_is_ascii(const char *s, int64_t size)
{
    uint64_t beyond = 0;
    int64_t i = 0;
    for (; i + 32 <= size; i += 32) {
        uint64_t block[4];
        memcpy(block, s + i, sizeof(block));
        beyond |= block[0] | block[1] | block[2] | block[3];
    }
    for (; i < size; i++)
        beyond |= (uint64_t)(unsigned char)s[i];
    return !(beyond & 0x8080808080808080u);
}

/* ------------------------------------------------------------------------- decode */

static inline int sa_follows(unsigned char byte) { return byte >> 6 == 2; }

/* Code points of UTF-8; -1 where a sequence is cut off, too long, a surrogate's, or
 * beyond the last code point. */
static ptrdiff_t sa_decode_utf8(const unsigned char *s, int64_t size, uint32_t *out)
{
    const uint32_t *const start = out;
    const unsigned char *const end = s + size;
    while (s < end) {
        const uint32_t c = *s;
        if (c < 0x80) {
            *out++ = c;
            s += 1;
        }
        else if (c >= 0xC2 && c < 0xE0 && end - s > 1 && sa_follows(s[1])) {
            *out++ = (c & 0x1F) << 6 | (s[1] & 0x3F);
            s += 2;
        }
        else if (c >= 0xE0 && c < 0xF0 && end - s > 2 && sa_follows(s[1])
                 && sa_follows(s[2])) {
            *out = (c & 0x0F) << 12 | (s[1] & 0x3Fu) << 6 | (s[2] & 0x3Fu);
            if (*out < 0x800 || sa_is_surrogate(*out))
                return -1;
            out += 1;
            s += 3;
        }
        else if (c >= 0xF0 && c < 0xF5 && end - s > 3 && sa_follows(s[1])
                 && sa_follows(s[2]) && sa_follows(s[3])) {
            *out = (c & 0x07) << 18 | (s[1] & 0x3Fu) << 12 | (s[2] & 0x3Fu) << 6
                | (s[3] & 0x3Fu);
            if (*out < 0x10000 || *out > 0x10FFFF)
                return -1;
            out += 1;
            s += 4;
        }
        else
            return -1;
    }
    return out - start;
}

/* Code points of a document, which has no more of them than its size; -1 where it is
 * not valid UTF-8. */
static ptrdiff_t sa_decode(const sa_document *document, uint32_t *out)
{
    const int64_t size = document->size;
    switch (document->encoding) {
    case SA_UTF8:
        return sa_decode_utf8(document->data, size, out);
    case SA_UCS2:
        for (int64_t i = 0; i < size; i++)
            out[i] = ((const uint16_t *)document->data)[i];
        return size;
    case SA_UCS4:
        for (int64_t i = 0; i < size; i++)
            out[i] = ((const uint32_t *)document->data)[i];
        return size;
    default:
        for (int64_t i = 0; i < size; i++)
            out[i] = ((const uint8_t *)document->data)[i];
        return size;
    }
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

/* Whether the sigma at `at` ends a word: a letter before it, none behind it. */
static int sa_is_final_sigma(const sa_characters *all, const uint32_t *s, ptrdiff_t n,
                             ptrdiff_t at)
{
    ptrdiff_t i = at - 1;
    while (i >= 0 && sa_entry(all, s[i]) & SA_IGNORABLE)
        i--;
    if (i < 0 || !(sa_entry(all, s[i]) & SA_CASED))
        return 0;
    for (i = at + 1; i < n && sa_entry(all, s[i]) & SA_IGNORABLE;)
        i++;
    return i == n || !(sa_entry(all, s[i]) & SA_CASED);
}

/* Lower case of n characters; `out` has room for SA_MOST_LOWER times as many. */
static ptrdiff_t sa_lower(const sa_characters *all, const uint32_t *s, ptrdiff_t n,
                          uint32_t *out)
{
    const uint32_t *const start = out;
    for (ptrdiff_t i = 0; i < n; i++) {
        const uint32_t entry = sa_entry(all, s[i]);
        if (s[i] == 0x3A3)
            *out++ = sa_is_final_sigma(all, s, n, i) ? 0x3C2 : 0x3C3;
        else if (entry & SA_EXPANDS) {
            const uint32_t *lower =
                all->expansions + SA_MOST_LOWER * (entry & SA_DISTANCE);
            for (int k = 0; k < SA_MOST_LOWER && lower[k]; k++)
                *out++ = lower[k];
        }
        else
            *out++ = (s[i] + entry) & SA_DISTANCE;
    }
    return out - start;
}

#endif
