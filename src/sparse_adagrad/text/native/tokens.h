/* A document to tokens: words, or characters, as runs of bytes of a scratch text.
 *
 * Tokens lie so that an n-gram of them is a run of bytes too: words have one space
 * between each two, characters nothing. Words are found in words.h.
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

static int64_t sa_bytes_of_tokens(const sa_tokens *tokens)
{
    return tokens->text_room + 8 * (tokens->start_room + tokens->end_room)
        + 4 * (tokens->code_point_room + tokens->lowered_room);
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
