/* A document to tokens: words, or characters, as runs of bytes of a scratch text.
 *
 * Tokens lie so that an n-gram of them is a run of bytes too: words have one space
 * between each two, characters nothing. ASCII has a way of its own, without code points.
 */
#ifndef SPARSE_ADAGRAD_TOKENS_H
#define SPARSE_ADAGRAD_TOKENS_H

#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "characters.h"
#include "count.h"
#include "document.h"
#include "hash.h"

/* Bytes of the scratch text that may be read or written behind what it holds. */
enum { SA_SPARE = 64 + SA_HASH_READS_ON };

/* Words that are left out: an open-addressing table of places in a list, -1 where empty,
 * and the words of the list one after the other. `table` is NULL where there are none. */
typedef struct {
    const int32_t *table;
    uint32_t mask;
    const char *text;
    const int64_t *starts;
} sa_stop_words;

/* Memory for the document at hand. Zeroed by the caller, freed by sa_free_tokens. */
typedef struct {
    char *text;
    int64_t text_room;
    /* Of words: where each starts and ends. Of characters: `starts` alone, one more than
     * there are. */
    int64_t *starts, *ends;
    int64_t start_room, end_room;
    int64_t n;
    uint32_t *code_points, *lowered;
    int64_t code_point_room, lowered_room;
    int has_surrogate;
} sa_tokens;

static void sa_free_tokens(sa_tokens *tokens)
{
    free(tokens->text);
    free(tokens->starts);
    free(tokens->ends);
    free(tokens->code_points);
    free(tokens->lowered);
}

/* Room for so many bytes of text and tokens. */
static int sa_reserve_tokens(sa_tokens *tokens, int64_t bytes, int64_t n)
{
    return sa_reserve((void **)&tokens->text, &tokens->text_room, bytes + SA_SPARE, 1)
        && sa_reserve((void **)&tokens->starts, &tokens->start_room, n + SA_SPARE,
                      sizeof(int64_t))
        && sa_reserve((void **)&tokens->ends, &tokens->end_room, n + SA_SPARE,
                      sizeof(int64_t));
}

/* ---------------------------------------------------------------- ASCII, in blocks */

enum { SA_BLOCK = 64 };

/* Lower a block of ASCII where asked for, in place, and return a bit for each byte: the
 * first for the first, whether it is of a word. Compilers make vectors of the loop. */
static inline uint64_t sa_classify_block(unsigned char *block, int lowercase)
{
    unsigned char in_word[SA_BLOCK];
    const unsigned char fold = lowercase ? 0x20 : 0;
    for (int b = 0; b < SA_BLOCK; b++) {
        const unsigned char c = block[b], letter = (unsigned char)((c | 0x20) - 'a');
        const unsigned char is_letter = letter < 26;
        in_word[b] = is_letter | ((unsigned char)(c - '0') < 10) | (c == '_');
        block[b] = (unsigned char)(c | (is_letter ? fold : 0));
    }
    uint64_t bits = 0;
    for (int b = 0; b < SA_BLOCK; b += 8) {
        uint64_t eight;
        memcpy(&eight, in_word + b, 8);
#if defined(__BYTE_ORDER__) && __BYTE_ORDER__ == __ORDER_BIG_ENDIAN__
        eight = __builtin_bswap64(eight);
#endif
        /* Eight bits gathered by one product. */
        bits |= (eight * 0x0102040810204080u >> 56) << b;
    }
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

/* Append where bits are set, from `at` on. */
static inline int64_t *sa_append_places(int64_t *out, uint64_t bits, int64_t at)
{
    for (; bits; bits &= bits - 1)
        *out++ = at + sa_first_bit(bits);
    return out;
}

/* --------------------------------------------------------------------------- words */

static int sa_is_stop_word(const sa_stop_words *stop, const char *at, int64_t size)
{
    uint32_t slot = sa_murmur3(at, size) & stop->mask;
    for (; stop->table[slot] >= 0; slot = (slot + 1) & stop->mask) {
        const int64_t *ends = stop->starts + stop->table[slot];
        if (ends[1] - ends[0] == size
            && !memcmp(stop->text + ends[0], at, (size_t)size))
            return 1;
    }
    return 0;
}

/* Words of two or more characters of ASCII, which is copied to the scratch text. Where
 * words start and end cannot be foretold, so no branch asks; bits tell: a word's second
 * character is one behind one that no other is behind, and what follows two of a word's
 * characters, and is none, ends it. */
static void sa_split_ascii(const char *s, int64_t size, int lowercase, sa_tokens *tokens)
{
    memcpy(tokens->text, s, (size_t)size);
    memset(tokens->text + size, 0, SA_SPARE);
    int64_t *starts = tokens->starts, *ends = tokens->ends;
    uint64_t before = 0; /* bits of the block before */
    /* One byte more, which ends the last word. */
    for (int64_t at = 0; at <= size; at += SA_BLOCK) {
        const uint64_t here =
            sa_classify_block((unsigned char *)tokens->text + at, lowercase);
        const uint64_t one_back = here << 1 | before >> 63;
        const uint64_t two_back = here << 2 | before >> 62;
        starts = sa_append_places(starts, here & one_back & ~two_back, at - 1);
        ends = sa_append_places(ends, ~here & one_back & two_back, at);
        before = here;
    }
    tokens->n = starts - tokens->starts;
}

/* The same of code points, which are encoded on the way. */
static void sa_split(const sa_characters *all, const uint32_t *s, ptrdiff_t size,
                     sa_tokens *tokens)
{
    int64_t out = 0, n = 0;
    for (ptrdiff_t i = 0; i < size; i++) {
        const int64_t start = out;
        const ptrdiff_t first = i;
        for (; i < size && sa_entry(all, s[i]) & SA_IN_WORD; i++)
            out += sa_encode(s[i], tokens->text + out);
        if (i - first > 1) {
            tokens->starts[n] = start;
            tokens->ends[n++] = out++;
        }
        else
            out = start;
    }
    tokens->n = n;
}

static void sa_drop_stop_words(const sa_stop_words *stop, sa_tokens *tokens)
{
    int64_t n = 0;
    for (int64_t t = 0; t < tokens->n; t++) {
        const int64_t start = tokens->starts[t], end = tokens->ends[t];
        tokens->starts[n] = start;
        tokens->ends[n] = end;
        n += !sa_is_stop_word(stop, tokens->text + start, end - start);
    }
    tokens->n = n;
}

/* Move words together, with one space between each two. None moves up. */
static void sa_join_words(sa_tokens *tokens)
{
    int64_t out = 0;
    for (int64_t t = 0; t < tokens->n; t++) {
        const int64_t bytes = tokens->ends[t] - tokens->starts[t];
        memmove(tokens->text + out, tokens->text + tokens->starts[t], (size_t)bytes);
        tokens->starts[t] = out;
        out += bytes;
        tokens->ends[t] = out;
        tokens->text[out++] = ' ';
    }
}

/* ---------------------------------------------------------------------- characters */

static inline void sa_put(sa_tokens *tokens, int64_t *out, uint32_t c)
{
    tokens->starts[tokens->n++] = *out;
    *out += sa_encode(c, tokens->text + *out);
}

/* All characters; white ones that follow each other become one space. */
static void sa_take_all(const sa_characters *all, const uint32_t *s, ptrdiff_t size,
                        sa_tokens *tokens)
{
    int64_t out = 0;
    tokens->n = 0;
    for (ptrdiff_t i = 0; i < size; i++) {
        const ptrdiff_t first = i;
        while (i + 1 < size && sa_entry(all, s[i]) & sa_entry(all, s[i + 1]) & SA_WHITE)
            i++;
        sa_put(tokens, &out, i > first ? ' ' : s[i]);
    }
    tokens->starts[tokens->n] = out;
}

/* The same with a space for any white ones, and before the first and behind the last
 * character. `ends` says which tokens are these spaces; returns how many. */
static int64_t sa_take_wrapped(const sa_characters *all, const uint32_t *s,
                               ptrdiff_t size, sa_tokens *tokens)
{
    int64_t out = 0, n_spaces = 0;
    tokens->n = 0;
    for (ptrdiff_t i = 0; i < size;) {
        for (; i < size && sa_entry(all, s[i]) & SA_WHITE; i++)
            ;
        if (i == size)
            break;
        tokens->ends[n_spaces++] = tokens->n;
        sa_put(tokens, &out, ' ');
        for (; i < size && !(sa_entry(all, s[i]) & SA_WHITE); i++)
            sa_put(tokens, &out, s[i]);
    }
    tokens->ends[n_spaces++] = tokens->n;
    sa_put(tokens, &out, ' ');
    tokens->starts[tokens->n] = out;
    return n_spaces;
}

#endif
