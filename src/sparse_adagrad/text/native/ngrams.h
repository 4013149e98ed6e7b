/* A document to a row of counts of hashed n-grams.
 *
 *     decode, lower       characters.h
 *     words               words.h         from a document at once
 *     characters          tokens.h        from code points
 *     n-grams, hash       here, and hash_many.h
 *     count               count.h
 *
 * Columns and signs are those of scikit-learn's FeatureHasher. Functions that can fail
 * return one of the codes of document.h.
 */
#ifndef SPARSE_ADAGRAD_NGRAMS_H
#define SPARSE_ADAGRAD_NGRAMS_H

#include "characters.h"
#include "count.h"
#include "document.h"
#include "hash.h"
#include "hash_many.h"
#include "kept.h"
#include "tokens.h"
#include "words.h"

enum { SA_WORD, SA_CHAR, SA_CHAR_WB };

/* Streaks that go on, by the low bits of their columns. With fewer of them there are more
 * streaks; more of them do not stay in the cache. Of 2^10 to 2^16, this takes least. */
enum { SA_GOING_ON = 16384 };

/* What stays the same for all documents. */
typedef struct {
    int analyzer;
    int lowercase;
    int alternate_sign;
    int note_hashes; /* in streaks */
    sa_hash_many hash_many;
    int64_t min_n, max_n;
    uint32_t n_features;
    uint32_t column_mask; /* n_features - 1 where that is a power of two, else 0 */
    int key_bits;         /* of a column, and one for the sign */
    sa_characters characters;
    sa_stop_words stop_words;
} sa_plan;

typedef struct {
    uint32_t hash;
    uint32_t streak; /* 0 for none */
} sa_going_on;

/* Where n-grams go: into the row at hand, or, where some have taken slots, their texts
 * into these. */
typedef struct {
    sa_rows rows;
    sa_tokens tokens;
    sa_streak *streaks; /* of all documents, where the plan notes them; the first is none */
    int64_t n_streaks, streak_room;
    sa_going_on *going_on;
    int64_t n_ngrams; /* noted of the share at hand */
    double text, expected_text; /* so far, and in the end */
    sa_kept_text *texts;
    const sa_taken *taken, *taken_end; /* of the document at hand */
    int64_t n_passed;                  /* of its n-grams, looking for these */
} sa_sink;

static int64_t sa_bytes_of_sink(const sa_sink *sink)
{
    return 8 * (sink->rows.room + sink->rows.key_room)
        + (int64_t)sizeof(sa_streak) * sink->streak_room
        + (sink->going_on ? (int64_t)sizeof(sa_going_on) * SA_GOING_ON : 0)
        + sa_bytes_of_tokens(&sink->tokens);
}

/* As if new, but for its memory. */
static void sa_empty_sink(sa_sink *sink)
{
    sink->rows.nnz = sink->rows.n_keys = 0;
    sink->n_streaks = sink->going_on ? 1 : 0; /* the first is none */
    sink->text = sink->expected_text = sink->rows.expected = 0;
    sink->taken = NULL;
}

/* Streaks do not go on from one share of the documents to the next. */
static void sa_begin_share(sa_sink *sink)
{
    if (sink->going_on)
        memset(sink->going_on, 0, SA_GOING_ON * sizeof(sa_going_on));
    sink->n_ngrams = 0;
}

static void sa_free_sink(sa_sink *sink)
{
    sa_free_rows(&sink->rows);
    sa_free_tokens(&sink->tokens);
    free(sink->streaks);
    free(sink->going_on);
}

/* -------------------------------------------------------------------- n-grams, hash */

/* Half of the columns count down. The lowest hash has no opposite as a signed number;
 * as an unsigned one it lands where scikit-learn puts it. */
static inline uint32_t sa_key(const sa_plan *plan, uint32_t hash)
{
    const uint32_t negative = hash >> 31;
    const uint32_t size = negative ? 0 - hash : hash;
    const uint32_t column =
        plan->column_mask ? size & plan->column_mask : size % plan->n_features;
    return column << 1 | (negative & (uint32_t)plan->alternate_sign);
}

/* Of n more n-grams of the document, copy the texts of those that have taken slots. */
static void sa_fill_slots(sa_sink *sink, const char *text, const int64_t *starts,
                          const int64_t *ends, int64_t n)
{
    for (; sink->taken < sink->taken_end; sink->taken++) {
        const int64_t t = sink->taken->at - sink->n_passed;
        if (t >= n)
            break;
        sa_keep_text(sink->texts + sink->taken->slot->text_1 - 1, text + starts[t],
                     ends[t] - starts[t]);
    }
    sink->n_passed += n;
}

/* Note n more n-grams. A streak ends where one of another hash comes whose column has the
 * same low bits, so before any other one of its column. */
static int sa_note(sa_sink *sink, const uint32_t *hashes, const uint32_t *keys, int64_t n)
{
    if (!sa_reserve((void **)&sink->streaks, &sink->streak_room,
                    sink->n_streaks + n + 1, sizeof(sa_streak)))
        return SA_NO_MEMORY;
    if (!sink->going_on) {
        sink->going_on = (sa_going_on *)calloc(SA_GOING_ON, sizeof(sa_going_on));
        if (!sink->going_on)
            return SA_NO_MEMORY;
        sink->streaks[sink->n_streaks++] = (sa_streak){0, 0, 0};
    }
    if (sink->n_streaks + n > UINT32_MAX)
        return SA_NO_MEMORY;
    sa_streak *streaks = sink->streaks;
    const int64_t before = sink->n_ngrams;
    uint32_t end = (uint32_t)sink->n_streaks;
    for (int64_t t = 0; t < n; t++) {
        sa_going_on *at = sink->going_on + (keys[t] >> 1 & (SA_GOING_ON - 1));
        const sa_going_on last = *at;
        if ((last.hash == hashes[t]) & (last.streak != 0)) {
            streaks[last.streak].count++;
            continue;
        }
        streaks[end] = (sa_streak){hashes[t], 1, before + t};
        *at = (sa_going_on){hashes[t], end++};
    }
    sink->n_streaks = end;
    sink->n_ngrams += n;
    return SA_OK;
}

/* An n-gram is a run of bytes, from the start of one token to the end of another. */
static int sa_add_runs(const sa_plan *plan, sa_sink *sink, const char *text,
                       const int64_t *starts, const int64_t *ends, int64_t n)
{
    if (sink->taken) {
        sa_fill_slots(sink, text, starts, ends, n);
        return SA_OK;
    }
    if (!sa_reserve_keys(&sink->rows, n))
        return SA_NO_MEMORY;
    uint32_t *keys = sink->rows.keys + sink->rows.n_keys;
    uint32_t *hashes = sink->rows.sorted; /* not in use before the row is finished */
    plan->hash_many(text, starts, ends, n, hashes);
    const sa_plan local = *plan;
    for (int64_t t = 0; t < n; t++)
        keys[t] = sa_key(&local, hashes[t]);
    if (plan->note_hashes && sa_note(sink, hashes, keys, n) != SA_OK)
        return SA_NO_MEMORY;
    sink->rows.n_keys += n;
    return SA_OK;
}

static int sa_add_words(const sa_plan *plan, sa_sink *sink)
{
    const sa_tokens *tokens = &sink->tokens;
    int status = SA_OK;
    for (int64_t n = plan->min_n; n <= plan->max_n && n <= tokens->n && !status; n++)
        status = sa_add_runs(plan, sink, tokens->text, tokens->starts,
                             tokens->ends + n - 1, tokens->n - n + 1);
    return status;
}

/* All n-grams of n characters from `first` to before `end`. */
static int sa_add_characters(const sa_plan *plan, sa_sink *sink, int64_t n,
                             int64_t first, int64_t end)
{
    const int64_t *starts = sink->tokens.starts + first;
    return sa_add_runs(plan, sink, sink->tokens.text, starts, starts + n,
                       end - first - n + 1);
}

static int sa_add_text(const sa_plan *plan, sa_sink *sink)
{
    const int64_t n_tokens = sink->tokens.n;
    int status = SA_OK;
    for (int64_t n = plan->min_n; n <= plan->max_n && n <= n_tokens && !status; n++)
        status = sink->tokens.has_surrogate
            ? SA_SURROGATE
            : sa_add_characters(plan, sink, n, 0, n_tokens);
    return status;
}

/* n-grams within each word and its two spaces; a word too short for any counts whole. */
static int sa_add_within_words(const sa_plan *plan, sa_sink *sink, int64_t n_spaces)
{
    int status = sink->tokens.has_surrogate ? SA_SURROGATE : SA_OK;
    for (int64_t k = 0; k + 1 < n_spaces && !status; k++) {
        const int64_t first = sink->tokens.ends[k], end = sink->tokens.ends[k + 1] + 1;
        const int64_t size = end - first;
        if (size < plan->min_n)
            status = sa_add_characters(plan, sink, size, first, end);
        for (int64_t n = plan->min_n; n <= plan->max_n && n <= size && !status; n++)
            status = sa_add_characters(plan, sink, n, first, end);
    }
    return status;
}

/* ------------------------------------------------------------------------- document */

/* Code points of a document, lowered where asked for; NULL and a status where not. */
static const uint32_t *sa_read(const sa_plan *plan, sa_tokens *tokens,
                               const sa_document *document, ptrdiff_t *n, int *status)
{
    *status = SA_NO_MEMORY;
    if (!sa_reserve((void **)&tokens->code_points, &tokens->code_point_room,
                    document->size, sizeof(uint32_t)))
        return NULL;
    *n = sa_decode(document, tokens->code_points);
    if (*n < 0) {
        *status = SA_NOT_UTF8;
        return NULL;
    }
    const uint32_t *read = tokens->code_points;
    if (plan->lowercase) {
        if (!sa_reserve((void **)&tokens->lowered, &tokens->lowered_room,
                        SA_MOST_LOWER * *n, sizeof(uint32_t)))
            return NULL;
        *n = sa_lower(&plan->characters, read, *n, tokens->lowered);
        read = tokens->lowered;
    }
    /* Four bytes a character, and a space for each and one more. */
    if (!sa_reserve_tokens(tokens, 5 * *n + 1, 2 * *n + 1))
        return NULL;
    tokens->has_surrogate = 0;
    for (ptrdiff_t i = 0; i < *n; i++)
        tokens->has_surrogate |= sa_is_surrogate(read[i]);
    *status = SA_OK;
    return read;
}

static int sa_find_words(const sa_plan *plan, sa_tokens *tokens,
                         const sa_document *document)
{
    const int status =
        sa_split(&plan->characters, document, plan->lowercase, tokens);
    if (status)
        return status;
    if (plan->stop_words.table)
        sa_drop_stop_words(&plan->stop_words, tokens);
    if (plan->max_n > 1)
        sa_join_words(tokens);
    return SA_OK;
}

/* Add the n-grams of a document to the sink. */
static int sa_add_ngrams(const sa_plan *plan, sa_sink *sink, const sa_document *document)
{
    sa_tokens *tokens = &sink->tokens;
    int status;
    if (plan->analyzer == SA_WORD) {
        status = sa_find_words(plan, tokens, document);
        return status ? status : sa_add_words(plan, sink);
    }
    ptrdiff_t n;
    const uint32_t *read = sa_read(plan, tokens, document, &n, &status);
    if (!read)
        return status;
    if (plan->analyzer == SA_CHAR) {
        sa_take_all(&plan->characters, read, n, tokens);
        return sa_add_text(plan, sink);
    }
    return sa_add_within_words(
        plan, sink, sa_take_wrapped(&plan->characters, read, n, tokens));
}

/* A share of documents to rows, one below the other and those of before; `ends` gets the
 * entries of the share after each, and `ngram_ends` the n-grams noted. Returns SA_OK, or
 * what is wrong with the document that `at` then names. */
static int sa_add_documents(const sa_plan *plan, sa_sink *sink,
                            const sa_document *documents, int64_t n, int64_t *ends,
                            int64_t *ngram_ends, int64_t *at)
{
    int status = SA_OK;
    const int64_t start = sink->rows.nnz;
    for (int64_t i = 0; i < n && !status; i++) {
        *at = i;
        sink->text += (double)documents[i].size;
        sink->rows.expected = sink->expected_text / (sink->text + 1);
        status = sa_add_ngrams(plan, sink, documents + i);
        if (!status)
            status = sa_finish_row(&sink->rows, plan->key_bits);
        ends[i] = sink->rows.nnz - start;
        ngram_ends[i] = sink->n_ngrams;
    }
    return status;
}

#endif
