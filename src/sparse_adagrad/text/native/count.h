/* Columns of a document's n-grams, in any order, to a row of counts. */
#ifndef SPARSE_ADAGRAD_COUNT_H
#define SPARSE_ADAGRAD_COUNT_H

#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "document.h"

/* Columns up to this many are sorted by buckets and insertion: quadratic at worst, which
 * so few bear. More go digit by digit. */
enum { SA_FEW = 1024, SA_DIGIT_BITS = 11 };

/* Nobody knows from a few documents what many more will need. */
#define SA_MOST_EXPECTED 16.0

/* Rows made so far. Zeroed by the caller, freed by sa_free_rows. */
typedef struct {
    int32_t *indices, *counts;
    int64_t nnz, room;
    double expected; /* text of all rows over that of those so far; 0 where unknown */
    uint32_t *keys; /* of the document at hand: column above, sign below */
    uint32_t *sorted;
    int64_t n_keys, key_room;
} sa_rows;

/* Give an array room for `count` items, with some to spare; 0 where there is none. */
static int sa_reserve(void **array, int64_t *room, int64_t count, size_t item)
{
    if (count <= *room)
        return 1;
    const int64_t wanted = count + count / 2 + 1024;
    void *grown = realloc(*array, (size_t)wanted * item);
    if (!grown)
        return 0;
    *array = grown;
    *room = wanted;
    return 1;
}

static void sa_free_rows(sa_rows *rows)
{
    free(rows->indices);
    free(rows->counts);
    free(rows->keys);
    free(rows->sorted);
}

/* Room for so many more keys. */
static inline int sa_reserve_keys(sa_rows *rows, int64_t more)
{
    if (rows->n_keys + more < rows->key_room)
        return 1;
    int64_t room = rows->key_room;
    const int64_t count = rows->n_keys + more + 1; /* one behind the last, to end it */
    if (!sa_reserve((void **)&rows->sorted, &room, count, sizeof(uint32_t)))
        return 0;
    return sa_reserve((void **)&rows->keys, &rows->key_room, count, sizeof(uint32_t));
}

static inline void sa_swap(sa_rows *rows)
{
    uint32_t *keys = rows->keys;
    rows->keys = rows->sorted;
    rows->sorted = keys;
}

/* Columns are hashes, so they fill as many buckets as there are keys about evenly; what
 * little order is then missing, insertion brings. */
static void sa_sort_few(sa_rows *rows, int bits)
{
    uint16_t ends[SA_FEW];
    const int n = (int)rows->n_keys;
    int bucket_bits = 1;
    while (1 << bucket_bits < n && bucket_bits < bits)
        bucket_bits++;
    const int shift = bits - bucket_bits;
    memset(ends, 0, sizeof(uint16_t) << bucket_bits);
    for (int k = 0; k < n; k++)
        ends[rows->keys[k] >> shift]++;
    for (int b = 0, place = 0; b < 1 << bucket_bits; b++) {
        const int count = ends[b];
        ends[b] = (uint16_t)place;
        place += count;
    }
    for (int k = 0; k < n; k++)
        rows->sorted[ends[rows->keys[k] >> shift]++] = rows->keys[k];
    for (int k = 1; k < n; k++) {
        const uint32_t key = rows->sorted[k];
        int t = k;
        for (; t && rows->sorted[t - 1] > key; t--)
            rows->sorted[t] = rows->sorted[t - 1];
        rows->sorted[t] = key;
    }
    sa_swap(rows);
}

static void sa_sort_many(sa_rows *rows, int bits)
{
    /* From 1: the order of signs does not matter. */
    for (int shift = 1; shift < bits; shift += SA_DIGIT_BITS) {
        const uint32_t mask = (1u << SA_DIGIT_BITS) - 1;
        int64_t ends[1 << SA_DIGIT_BITS] = {0}, place = 0;
        for (int64_t k = 0; k < rows->n_keys; k++)
            ends[rows->keys[k] >> shift & mask]++;
        for (uint32_t b = 0; b <= mask; b++) {
            const int64_t count = ends[b];
            ends[b] = place;
            place += count;
        }
        for (int64_t k = 0; k < rows->n_keys; k++)
            rows->sorted[ends[rows->keys[k] >> shift & mask]++] = rows->keys[k];
        sa_swap(rows);
    }
}

/* Room for so many more entries, and for those to come at the rate so far: arrays that
 * grow step by step take memory anew each time. */
static inline int sa_reserve_row(sa_rows *rows, int64_t n)
{
    const int64_t count = rows->nnz + n;
    int64_t room = rows->room;
    if (count <= room)
        return 1;
    double more = rows->expected > 1.0 ? rows->expected : 1.0;
    if (more > SA_MOST_EXPECTED)
        more = SA_MOST_EXPECTED;
    const int64_t wanted = (int64_t)((double)count * more);
    return sa_reserve((void **)&rows->indices, &room, wanted, sizeof(int32_t))
           && sa_reserve((void **)&rows->counts, &rows->room, wanted, sizeof(int32_t));
}

/* Append a row: each column once, in order, with the sum of its signs, which may be 0.
 * A key has so many bits. */
static int sa_finish_row(sa_rows *rows, int key_bits)
{
    const int64_t n = rows->n_keys;
    if (!sa_reserve_row(rows, n))
        return SA_NO_MEMORY;
    if (!n)
        return SA_OK;
    if (n <= SA_FEW)
        sa_sort_few(rows, key_bits);
    else
        sa_sort_many(rows, key_bits);
    uint32_t *keys = rows->keys;
    keys[n] = ~keys[n - 1]; /* of another column */
    int32_t *indices = rows->indices + rows->nnz, *counts = rows->counts + rows->nnz;
    int64_t out = 0;
    int32_t count = 0;
    for (int64_t k = 0; k < n; k++) {
        const int32_t column = (int32_t)(keys[k] >> 1);
        count += 1 - 2 * (int32_t)(keys[k] & 1);
        indices[out] = column;
        counts[out] = count;
        /* No branch: whether a column comes again cannot be foretold. */
        const int32_t last = column != (int32_t)(keys[k + 1] >> 1);
        out += last;
        count &= last - 1;
    }
    rows->nnz += out;
    rows->n_keys = 0;
    return SA_OK;
}

#endif
