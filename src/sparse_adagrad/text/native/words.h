/* The words of a document: two or more characters of a word, lowered, as UTF-8.
 *
 * A block of ASCII goes as a whole. What is not all ASCII goes character by character, by
 * a table, up to where the next block may start. Where words start and end cannot be
 * foretold, so no branch asks; bits tell: a word's second character is one behind one
 * that no other is behind, and what follows two of a word's characters, and is none, ends
 * it.
 */
#ifndef SPARSE_ADAGRAD_WORDS_H
#define SPARSE_ADAGRAD_WORDS_H

#include <stddef.h>
#include <stdint.h>
#include <string.h>

#ifdef __SSE2__
#include <emmintrin.h>
#endif

#include "characters.h"
#include "document.h"
#include "tokens.h"

enum { SA_BLOCK = 64, SA_ROUND = 8 };

/* ------------------------------------------------------------------ blocks of ASCII */

/* Lower a block of ASCII where asked for, in place, and return a bit for each byte: the
 * first for the first, whether it is of a word. */
static inline uint64_t sa_classify_block(char *block, int lowercase)
{
    uint64_t bits = 0;
#ifdef __SSE2__ /* part of x86-64 */
    const __m128i fold = _mm_set1_epi8(lowercase ? 0x20 : 0);
    const __m128i last_letter = _mm_set1_epi8(25), last_digit = _mm_set1_epi8(9);
    for (int b = 0; b < SA_BLOCK; b += 16) {
        const __m128i c = _mm_loadu_si128((const __m128i *)(block + b));
        const __m128i letter =
            _mm_sub_epi8(_mm_or_si128(c, _mm_set1_epi8(0x20)), _mm_set1_epi8('a'));
        const __m128i digit = _mm_sub_epi8(c, _mm_set1_epi8('0'));
        const __m128i is_letter = _mm_cmpeq_epi8(_mm_min_epu8(letter, last_letter), letter);
        const __m128i is_digit = _mm_cmpeq_epi8(_mm_min_epu8(digit, last_digit), digit);
        const __m128i is_other = _mm_cmpeq_epi8(c, _mm_set1_epi8('_'));
        const __m128i in_word = _mm_or_si128(_mm_or_si128(is_letter, is_digit), is_other);
        _mm_storeu_si128((__m128i *)(block + b),
                         _mm_or_si128(c, _mm_and_si128(is_letter, fold)));
        bits |= (uint64_t)(uint32_t)_mm_movemask_epi8(in_word) << b;
    }
#else
    const unsigned char fold = lowercase ? 0x20 : 0;
    for (int b = 0; b < SA_BLOCK; b++) {
        const unsigned char c = (unsigned char)block[b];
        const unsigned char is_letter = (unsigned char)((c | 0x20) - 'a') < 26;
        const unsigned char in_word =
            is_letter | ((unsigned char)(c - '0') < 10) | (c == '_');
        block[b] = (char)(c | (is_letter ? fold : 0));
        bits |= (uint64_t)in_word << b;
    }
#endif
    return bits;
}

static inline int sa_first_bit(uint64_t bits)
{
#ifdef __GNUC__
    return __builtin_ctzll(bits);
#else
    int place = 0;
    for (; !(bits & 1); bits >>= 1)
        place++;
    return place;
#endif
}

static inline int sa_count_bits(uint64_t bits)
{
    bits -= bits >> 1 & 0x5555555555555555u;
    bits = (bits & 0x3333333333333333u) + (bits >> 2 & 0x3333333333333333u);
    return (int)(((bits + (bits >> 4)) & 0x0f0f0f0f0f0f0f0fu) * 0x0101010101010101u >> 56);
}

/* Append where bits are set, from `at` on. How many there are cannot be foretold, so they
 * go in rounds, of which the last writes more places than count. */
static inline int64_t *sa_append_places(int64_t *out, uint64_t bits, int64_t at)
{
    int64_t *const end = out + sa_count_bits(bits);
    do
        for (int k = 0; k < SA_ROUND; k++) {
            *out++ = at + sa_first_bit(bits | (uint64_t)1 << 63);
            bits &= bits - 1;
        }
    while (out < end);
    return end;
}

/* Copy n units from `at` on as bytes; whether all are ASCII. */
static inline int sa_copy_ascii(const sa_document *document, int64_t encoding, int64_t at,
                                int n, char *out)
{
    uint32_t all = 0;
    if (encoding == SA_UCS2) {
        const uint16_t *units = (const uint16_t *)document->data + at;
        for (int k = 0; k < n; k++) {
            all |= units[k];
            out[k] = (char)units[k];
        }
        return all < 0x80;
    }
    if (encoding == SA_UCS4) {
        const uint32_t *units = (const uint32_t *)document->data + at;
        for (int k = 0; k < n; k++) {
            all |= units[k];
            out[k] = (char)units[k];
        }
        return all < 0x80;
    }
    const char *bytes = (const char *)document->data + at;
    if (n == SA_BLOCK)
        memcpy(out, bytes, SA_BLOCK); /* in place, as its size is a constant */
    else
        memcpy(out, bytes, (size_t)n);
    if (encoding == SA_ASCII)
        return 1;
    uint64_t eight[SA_BLOCK / 8]; /* of the block, which is filled up with zeros */
    memcpy(eight, out, SA_BLOCK);
    for (int k = 1; k < SA_BLOCK / 8; k++)
        eight[0] |= eight[k];
    return !(eight[0] & 0x8080808080808080u);
}

/* Copy a block from `at` on as bytes, zeros behind the document's end; whether all are
 * ASCII. */
static inline int sa_copy_block(const sa_document *document, int64_t at, char *block)
{
    const int64_t left = document->size - at;
    if (left >= SA_BLOCK)
        return sa_copy_ascii(document, document->encoding, at, SA_BLOCK, block);
    memset(block, 0, SA_BLOCK);
    return sa_copy_ascii(document, document->encoding, at, (int)left, block);
}

/* --------------------------------------------------------------- words as they come */

typedef struct {
    char *text;
    int64_t *starts, *ends; /* where the next go */
    int64_t out;            /* bytes written */
    int64_t start;          /* of the word, where just one character of it is known */
    uint64_t before;        /* bits of the last 64 characters, the highest of the last */
} sa_splitter;

/* A block that has been copied to where it belongs, of which `n` bytes count. */
static inline void sa_split_block(sa_splitter *s, int n, int lowercase)
{
    const uint64_t here = sa_classify_block(s->text + s->out, lowercase);
    const uint64_t one_back = here << 1 | s->before >> 63;
    const uint64_t two_back = here << 2 | s->before >> 62;
    const uint64_t second = here & one_back & ~two_back;
    int64_t *first = s->starts;
    s->starts = sa_append_places(first, second, s->out - 1);
    if (second & 1)
        *first = s->start; /* of a character that may have more bytes than one */
    s->ends = sa_append_places(s->ends, ~here & one_back & two_back, s->out);
    s->before = here;
    s->start = s->out + SA_BLOCK - 1;
    s->out += n;
}

/* A character of up to four bytes, the lowest the first; four are written. */
static inline void sa_split_character(sa_splitter *s, uint32_t bytes, int length,
                                      uint64_t in_word)
{
    const uint64_t one_back = s->before >> 63, two_back = s->before >> 62 & 1;
    s->start = in_word & ~one_back ? s->out : s->start;
    *s->starts = s->start;
    s->starts += in_word & one_back & ~two_back;
    *s->ends = s->out;
    s->ends += (in_word ^ 1) & one_back & two_back;
    s->before = s->before >> 1 | in_word << 63;
    char *out = s->text + s->out;
    out[0] = (char)bytes;
    out[1] = (char)(bytes >> 8);
    out[2] = (char)(bytes >> 16);
    out[3] = (char)(bytes >> 24);
    s->out += length;
}

/* A character that the table does not tell, which stands from `start` to before `end`. */
static void sa_split_rare(sa_splitter *s, const sa_characters *all,
                          const sa_document *document, int lowercase, uint32_t c,
                          int64_t start, int64_t end)
{
    uint32_t lowered[SA_MOST_LOWER] = {c};
    const int n = lowercase ? sa_lower_one(all, document, c, start, end, lowered) : 1;
    for (int k = 0; k < n; k++) {
        unsigned char bytes[4] = {0};
        const int length = sa_encode(lowered[k], (char *)bytes);
        sa_split_character(s,
                           bytes[0] | (uint32_t)bytes[1] << 8 | (uint32_t)bytes[2] << 16
                               | (uint32_t)bytes[3] << 24,
                           length, (sa_entry(all, lowered[k]) & SA_IN_WORD) != 0);
    }
}

/* Characters from `at` to `stop` or a little further; returns up to where, or -1 where the
 * document is not valid UTF-8. */
static inline int64_t sa_split_characters(sa_splitter *splitter, const sa_characters *all,
                                          const sa_document *document, int64_t encoding,
                                          int lowercase, int64_t at, int64_t stop)
{
    sa_splitter s = *splitter; /* in registers: its address is given to nobody */
    while (at < stop) {
        const int64_t start = at;
        const uint32_t c = sa_next(document, encoding, &at);
        const uint32_t folded = c < SA_FOLDED_END ? all->folded[c] : SA_NOT_FOLDED;
        if (c == SA_INVALID)
            return -1;
        if (folded & SA_NOT_FOLDED) {
            *splitter = s;
            sa_split_rare(splitter, all, document, lowercase, c, start, at);
            s = *splitter;
        }
        else
            sa_split_character(&s, folded, folded >> SA_FOLDED_LENGTH & 3,
                               (folded & SA_FOLDED_IN_WORD) != 0);
    }
    *splitter = s;
    return at;
}

/* ------------------------------------------------------------------------- documents */

static inline int sa_split_units(const sa_characters *all, const sa_document *document,
                                 int64_t encoding, int lowercase, sa_tokens *tokens)
{
    const int64_t size = document->size;
    sa_splitter s = {tokens->text, tokens->starts, tokens->ends, 0, 0, 0};
    for (int64_t at = 0; at < size;) {
        const int n = size - at < SA_BLOCK ? (int)(size - at) : SA_BLOCK;
        char *block = s.text + s.out;
        if (n < SA_BLOCK)
            memset(block, 0, SA_BLOCK);
        if (sa_copy_ascii(document, encoding, at, n, block)) {
            sa_split_block(&s, n, lowercase);
            at += n;
        }
        else
            at = sa_split_characters(&s, all, document, encoding, lowercase, at, at + n);
        if (at < 0)
            return SA_NOT_UTF8;
    }
    sa_split_character(&s, 0, 1, 0); /* ends the last word */
    tokens->n = s.ends - tokens->ends;
    return SA_OK;
}

/* Words of a document to the scratch text. */
static int sa_split(const sa_characters *all, const sa_document *document, int lowercase,
                    sa_tokens *tokens)
{
    /* Most bytes that a unit becomes: all but ASCII's has at least two in UTF-8. */
    const int64_t most = document->encoding == SA_ASCII ? 1
        : document->encoding == SA_UTF8                 ? 2 * SA_MOST_LOWER
                                                        : 4 * SA_MOST_LOWER;
    if (!sa_reserve_tokens(tokens, most * document->size, document->size))
        return SA_NO_MEMORY;
    switch (document->encoding) {
    case SA_ASCII:
        return sa_split_units(all, document, SA_ASCII, lowercase, tokens);
    case SA_UTF8:
        return sa_split_units(all, document, SA_UTF8, lowercase, tokens);
    case SA_UCS1:
        return sa_split_units(all, document, SA_UCS1, lowercase, tokens);
    case SA_UCS2:
        return sa_split_units(all, document, SA_UCS2, lowercase, tokens);
    default:
        return sa_split_units(all, document, SA_UCS4, lowercase, tokens);
    }
}

#endif
