/* The n-grams of counted documents, each once, for those who keep the most frequent.
 *
 * Words repeat: a million have some ten thousand that differ, whose table stays in the
 * cache, while the slots of all columns do not. So n-grams are told apart and added up
 * here, on the thread that counts documents, and just those that differ go to the slots.
 * The order in which they came matters where several share a column, and is noted for
 * these alone. N-grams of the same hash are taken for one.
 */
#ifndef SPARSE_ADAGRAD_DISTINCT_H
#define SPARSE_ADAGRAD_DISTINCT_H

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "count.h"
#include "document.h"

/* Bytes that are kept of an n-gram, and places of the smallest table. */
enum { SA_KEPT_BYTES = 54, SA_SMALL_TABLE = 1024 };

typedef struct {
    int64_t count;
    int64_t text; /* where its first SA_KEPT_BYTES stand */
    uint32_t hash;
    uint16_t size;         /* in bytes, or the most that fits */
    uint16_t share_column; /* whether another one is of the same column */
} sa_ngram;

typedef struct {
    uint32_t key;
    uint32_t number_1; /* of an n-gram, and 1, so that zeros are empty */
} sa_place;

/* Zeroed by the caller, freed by sa_free_distinct. */
typedef struct {
    sa_ngram *ngrams; /* as they first came */
    int64_t n, room;
    char *text;
    int64_t text_size, text_room;
    uint32_t *order; /* numbers of n-grams as they came; in the end, of those that share */
    int64_t n_order, order_room;
    sa_place *table; /* open addressing, at most half full */
    int64_t table_size;
} sa_distinct;

static void sa_free_distinct(sa_distinct *d)
{
    free(d->ngrams);
    free(d->text);
    free(d->order);
    free(d->table);
}

/* Where a key stands, or the empty place where it belongs. */
static inline sa_place *sa_find(sa_place *table, int64_t mask, uint32_t key)
{
    int64_t at = key & mask; /* hashes and columns are spread enough */
    while (table[at].number_1 && table[at].key != key)
        at = (at + 1) & mask;
    return table + at;
}

static int sa_grow_table(sa_distinct *d)
{
    const int64_t size = d->table_size ? 2 * d->table_size : SA_SMALL_TABLE;
    sa_place *table = (sa_place *)calloc((size_t)size, sizeof(sa_place));
    if (!table)
        return SA_NO_MEMORY;
    for (int64_t k = 0; k < d->n; k++) {
        const uint32_t hash = d->ngrams[k].hash;
        *sa_find(table, size - 1, hash) = (sa_place){hash, (uint32_t)k + 1};
    }
    free(d->table);
    d->table = table;
    d->table_size = size;
    return SA_OK;
}

static int sa_add_distinct(sa_distinct *d, uint32_t hash, const char *text, int64_t size)
{
    if (2 * (d->n + 1) > d->table_size && sa_grow_table(d) != SA_OK)
        return SA_NO_MEMORY;
    const int64_t kept = size < SA_KEPT_BYTES ? size : SA_KEPT_BYTES;
    if (d->n + 1 >= UINT32_MAX
        || !sa_reserve((void **)&d->ngrams, &d->room, d->n + 1, sizeof(sa_ngram))
        || !sa_reserve((void **)&d->text, &d->text_room, d->text_size + kept, 1))
        return SA_NO_MEMORY;
    memcpy(d->text + d->text_size, text, (size_t)kept);
    d->ngrams[d->n] = (sa_ngram){
        0, d->text_size, hash, (uint16_t)(size < UINT16_MAX ? size : UINT16_MAX), 0};
    d->text_size += kept;
    d->n++;
    *sa_find(d->table, d->table_size - 1, hash) = (sa_place){hash, (uint32_t)d->n};
    return SA_OK;
}

/* Note n more n-grams: runs of a text, and their hashes. */
static int sa_note(sa_distinct *d, const char *text, const int64_t *starts,
                   const int64_t *ends, const uint32_t *hashes, int64_t n)
{
    if (!sa_reserve((void **)&d->order, &d->order_room, d->n_order + n, sizeof(uint32_t))
        || (!d->table && sa_grow_table(d) != SA_OK))
        return SA_NO_MEMORY;
    uint32_t *order = d->order + d->n_order;
    for (int64_t t = 0; t < n; t++) {
        const uint32_t hash = hashes[t];
        uint32_t number_1 = sa_find(d->table, d->table_size - 1, hash)->number_1;
        if (!number_1) {
            if (sa_add_distinct(d, hash, text + starts[t], ends[t] - starts[t]) != SA_OK)
                return SA_NO_MEMORY;
            number_1 = (uint32_t)d->n;
        }
        order[t] = number_1 - 1;
        d->ngrams[number_1 - 1].count++;
    }
    d->n_order += n;
    return SA_OK;
}

#endif
