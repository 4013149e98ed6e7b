/* From text to counts of hashed n-grams, a document at a time.
 *
 * (a) A document is UTF-8 that holds no invalid sequence; lower-casing beyond ASCII has
 *     been done before. Characters are classified by a bit each, as Python's `re` and
 *     str.split do.
 * (b) Tokens are written to a scratch text with one space between two, so that every
 *     n-gram of words is a run of its bytes; of characters, likewise.
 * (c) An n-gram is hashed as scikit-learn's FeatureHasher does (MurmurHash3 by Austin
 *     Appleby, 32 bits, seed 0) and counted in a small table by column. What the
 *     document has is then sorted by column, byte by byte.
 *
 * Everything returns 0 where memory is missing, which the caller reports.
 */
#ifndef SPARSE_ADAGRAD_NGRAMS_H
#define SPARSE_ADAGRAD_NGRAMS_H

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

enum { SA_WORD, SA_CHAR, SA_CHAR_WB };

/* What stays the same for all documents. */
typedef struct {
    int analyzer;
    int lowercase; /* of ASCII */
    int alternate_sign;
    ptrdiff_t min_n, max_n;
    uint32_t n_features;
    /* A bit for each of the 0x110000 code points. */
    const uint8_t *word_bits, *space_bits;
    /* Stop words: an open-addressing table of places in a list, -1 where empty. */
    const int32_t *stop_table;
    uint32_t stop_mask;
    const char *stop_text;
    const int64_t *stop_starts;
} sa_plan;

/* Rows made so far, and memory to make one. Zeroed by the caller, freed by
 * sa_free_rows. */
typedef struct {
    char *text; /* tokens or characters of the document */
    ptrdiff_t text_room;
    ptrdiff_t *starts, *ends; /* of tokens, or starts of characters */
    ptrdiff_t n_tokens, token_room;
    int32_t *slots; /* column of each slot, -1 where empty; a power of two */
    int32_t *slot_counts;
    uint32_t mask;
    uint32_t *used; /* slots */
    ptrdiff_t n_used;
    uint64_t *pairs, *sorted; /* column above count, room for every slot used */
    int32_t *indices, *counts; /* of all rows */
    ptrdiff_t nnz, room;
} sa_rows;

/* ------------------------------------------------------------------------- memory */

static int sa_grow(void **memory, ptrdiff_t count, size_t item)
{
    void *grown = realloc(*memory, (size_t)count * item);
    if (!grown)
        return 0;
    *memory = grown;
    return 1;
}

static void sa_free_rows(sa_rows *rows)
{
    free(rows->text);
    free(rows->starts);
    free(rows->ends);
    free(rows->slots);
    free(rows->slot_counts);
    free(rows->used);
    free(rows->pairs);
    free(rows->sorted);
    free(rows->indices);
    free(rows->counts);
}

/* An empty table of so many slots, a power of two. */
static int sa_make_table(sa_rows *rows, uint32_t size)
{
    if (!sa_grow((void **)&rows->slots, size, sizeof(int32_t))
        || !sa_grow((void **)&rows->slot_counts, size, sizeof(int32_t))
        || !sa_grow((void **)&rows->used, size, sizeof(uint32_t))
        || !sa_grow((void **)&rows->pairs, size, sizeof(uint64_t))
        || !sa_grow((void **)&rows->sorted, size, sizeof(uint64_t)))
        return 0;
    memset(rows->slots, -1, size * sizeof(int32_t));
    rows->mask = size - 1;
    rows->n_used = 0;
    return 1;
}

static int sa_make_room_for_text(sa_rows *rows, ptrdiff_t size)
{
    /* A character gives at most a token start, and a space after it. */
    if (2 * size + 4 > rows->text_room) {
        rows->text_room = 4 * size + 64;
        if (!sa_grow((void **)&rows->text, rows->text_room, 1))
            return 0;
    }
    if (size + 4 > rows->token_room) {
        rows->token_room = 2 * size + 64;
        return sa_grow((void **)&rows->starts, rows->token_room, sizeof(ptrdiff_t))
            && sa_grow((void **)&rows->ends, rows->token_room, sizeof(ptrdiff_t));
    }
    return 1;
}

/* --------------------------------------------------------------------- characters */

/* Length of a character by its first byte. */
static inline int sa_width(unsigned char first)
{
    return first < 0x80 ? 1 : first < 0xE0 ? 2 : first < 0xF0 ? 3 : 4;
}

static inline uint32_t sa_code_point(const char *at, int width)
{
    const unsigned char *s = (const unsigned char *)at;
    switch (width) {
    case 1:
        return s[0];
    case 2:
        return (s[0] & 0x1Fu) << 6 | (s[1] & 0x3Fu);
    case 3:
        return (s[0] & 0x0Fu) << 12 | (s[1] & 0x3Fu) << 6 | (s[2] & 0x3Fu);
    default:
        return (s[0] & 0x07u) << 18 | (s[1] & 0x3Fu) << 12 | (s[2] & 0x3Fu) << 6
            | (s[3] & 0x3Fu);
    }
}

static inline int sa_has(const uint8_t *bits, uint32_t code)
{
    return bits[code >> 3] >> (code & 7) & 1;
}

static inline char sa_lower(char c, int lowercase)
{
    return lowercase && c >= 'A' && c <= 'Z' ? (char)(c + 32) : c;
}

/* -------------------------------------------------------------------------- hash */

static inline uint32_t sa_rotate(uint32_t x, int by) { return x << by | x >> (32 - by); }

static inline uint32_t sa_mix(uint32_t k)
{
    return sa_rotate(k * 0xcc9e2d51u, 15) * 0x1b873593u;
}

static inline uint32_t sa_murmur3(const char *bytes, ptrdiff_t size)
{
    const unsigned char *s = (const unsigned char *)bytes;
    uint32_t h = 0, k = 0;
    ptrdiff_t i = 0;
    for (; i + 4 <= size; i += 4) {
        /* Little-endian on every machine. */
        k = s[i] | (uint32_t)s[i + 1] << 8 | (uint32_t)s[i + 2] << 16
            | (uint32_t)s[i + 3] << 24;
        h = sa_rotate(h ^ sa_mix(k), 13) * 5 + 0xe6546b64u;
    }
    k = 0;
    switch (size & 3) {
    case 3:
        k ^= (uint32_t)s[i + 2] << 16; /* fall through */
    case 2:
        k ^= (uint32_t)s[i + 1] << 8; /* fall through */
    case 1:
        k ^= s[i];
        h ^= sa_mix(k);
    }
    h ^= (uint32_t)size;
    h = (h ^ h >> 16) * 0x85ebca6bu;
    h = (h ^ h >> 13) * 0xc2b2ae35u;
    return h ^ h >> 16;
}

/* ------------------------------------------------------------------------- count */

/* Add `value` to the count of a column. */
static inline int sa_add(sa_rows *rows, int32_t column, int32_t value)
{
    uint32_t slot = (uint32_t)column * 2654435769u >> 7 & rows->mask;
    while (rows->slots[slot] >= 0 && rows->slots[slot] != column)
        slot = (slot + 1) & rows->mask;
    if (rows->slots[slot] < 0) {
        rows->slots[slot] = column;
        rows->slot_counts[slot] = 0;
        rows->used[rows->n_used++] = slot;
    }
    rows->slot_counts[slot] += value;
    return 2 * (uint64_t)rows->n_used <= rows->mask;
}

/* The table twice as large. */
static int sa_grow_table(sa_rows *rows)
{
    const ptrdiff_t n_used = rows->n_used;
    if (rows->mask >> 30)
        return 0;
    for (ptrdiff_t k = 0; k < n_used; k++)
        rows->pairs[k] = (uint64_t)(uint32_t)rows->slots[rows->used[k]] << 32
            | (uint32_t)rows->slot_counts[rows->used[k]];
    uint64_t *kept = malloc((size_t)(n_used + 1) * sizeof(uint64_t));
    if (!kept)
        return 0;
    memcpy(kept, rows->pairs, (size_t)n_used * sizeof(uint64_t));
    if (!sa_make_table(rows, 2 * (rows->mask + 1))) {
        free(kept);
        return 0;
    }
    for (ptrdiff_t k = 0; k < n_used; k++)
        sa_add(rows, (int32_t)(kept[k] >> 32), (int32_t)(uint32_t)kept[k]);
    free(kept);
    return 1;
}

static inline int sa_count(const sa_plan *plan, sa_rows *rows, const char *at,
                           ptrdiff_t size)
{
    const int32_t h = (int32_t)sa_murmur3(at, size);
    /* The most negative number has no opposite; scikit-learn says where it goes. */
    const uint32_t place = h == INT32_MIN ? 2147483647u - (plan->n_features - 1)
                                          : (uint32_t)(h < 0 ? -h : h);
    const int32_t value = plan->alternate_sign && h < 0 ? -1 : 1;
    return sa_add(rows, (int32_t)(place % plan->n_features), value)
        || sa_grow_table(rows);
}

/* Sort pairs by their column, a byte at a time from the lowest. */
static uint64_t *sa_sort(uint64_t *pairs, uint64_t *other, ptrdiff_t n,
                         uint32_t n_features)
{
    for (int shift = 32; shift < 64 && (n_features - 1) >> (shift - 32); shift += 8) {
        ptrdiff_t ends[256] = {0}, place = 0;
        for (ptrdiff_t k = 0; k < n; k++)
            ends[pairs[k] >> shift & 255]++;
        for (int b = 0; b < 256; b++) {
            const ptrdiff_t count = ends[b];
            ends[b] = place;
            place += count;
        }
        for (ptrdiff_t k = 0; k < n; k++)
            other[ends[pairs[k] >> shift & 255]++] = pairs[k];
        uint64_t *swapped = pairs;
        pairs = other;
        other = swapped;
    }
    return pairs;
}

/* Append what the table holds as a row, and empty it. */
static int sa_finish_row(const sa_plan *plan, sa_rows *rows)
{
    const ptrdiff_t n = rows->n_used;
    if (rows->nnz + n > rows->room) {
        rows->room = 2 * (rows->nnz + n) + 1024;
        if (!sa_grow((void **)&rows->indices, rows->room, sizeof(int32_t))
            || !sa_grow((void **)&rows->counts, rows->room, sizeof(int32_t)))
            return 0;
    }
    for (ptrdiff_t k = 0; k < n; k++) {
        const uint32_t slot = rows->used[k];
        rows->pairs[k] = (uint64_t)(uint32_t)rows->slots[slot] << 32
            | (uint32_t)rows->slot_counts[slot];
        rows->slots[slot] = -1;
    }
    const uint64_t *sorted = sa_sort(rows->pairs, rows->sorted, n, plan->n_features);
    for (ptrdiff_t k = 0; k < n; k++) {
        rows->indices[rows->nnz + k] = (int32_t)(sorted[k] >> 32);
        rows->counts[rows->nnz + k] = (int32_t)(uint32_t)sorted[k];
    }
    rows->nnz += n;
    rows->n_used = 0;
    return 1;
}

/* ------------------------------------------------------------------------- words */

static int sa_is_stop_word(const sa_plan *plan, const char *at, ptrdiff_t size)
{
    uint32_t slot = sa_murmur3(at, size) & plan->stop_mask;
    for (; plan->stop_table[slot] >= 0; slot = (slot + 1) & plan->stop_mask) {
        const int64_t *ends = plan->stop_starts + plan->stop_table[slot];
        if (ends[1] - ends[0] == size && !memcmp(plan->stop_text + ends[0], at, size))
            return 1;
    }
    return 0;
}

/* Words of two or more characters, one space between two. */
static void sa_find_words(const sa_plan *plan, sa_rows *rows, const char *s,
                          ptrdiff_t size)
{
    ptrdiff_t out = 0;
    rows->n_tokens = 0;
    for (ptrdiff_t i = 0; i < size;) {
        const ptrdiff_t start = out;
        ptrdiff_t characters = 0;
        while (i < size) {
            const int width = sa_width((unsigned char)s[i]);
            if (!sa_has(plan->word_bits, sa_code_point(s + i, width)))
                break;
            rows->text[out] = sa_lower(s[i], plan->lowercase);
            for (int b = 1; b < width; b++)
                rows->text[out + b] = s[i + b];
            out += width;
            i += width;
            characters++;
        }
        if (characters < 2
            || (plan->stop_table && sa_is_stop_word(plan, rows->text + start,
                                                    out - start)))
            out = start;
        else {
            rows->starts[rows->n_tokens] = start;
            rows->ends[rows->n_tokens++] = out;
            rows->text[out++] = ' ';
        }
        if (i < size && !characters)
            i += sa_width((unsigned char)s[i]);
    }
}

static int sa_count_words(const sa_plan *plan, sa_rows *rows)
{
    for (ptrdiff_t n = plan->min_n; n <= plan->max_n && n <= rows->n_tokens; n++)
        for (ptrdiff_t t = 0; t + n <= rows->n_tokens; t++)
            if (!sa_count(plan, rows, rows->text + rows->starts[t],
                          rows->ends[t + n - 1] - rows->starts[t]))
                return 0;
    return 1;
}

/* -------------------------------------------------------------------- characters */

static void sa_put(sa_rows *rows, ptrdiff_t *out, const char *s, int width,
                   int lowercase)
{
    rows->starts[rows->n_tokens++] = *out;
    rows->text[*out] = sa_lower(s[0], lowercase);
    for (int b = 1; b < width; b++)
        rows->text[*out + b] = s[b];
    *out += width;
}

/* All characters; two or more white ones together are one space. */
static void sa_find_characters(const sa_plan *plan, sa_rows *rows, const char *s,
                               ptrdiff_t size)
{
    ptrdiff_t out = 0;
    rows->n_tokens = 0;
    for (ptrdiff_t i = 0; i < size;) {
        int width = sa_width((unsigned char)s[i]);
        ptrdiff_t end = i, white = 0;
        while (end < size) {
            const int next = sa_width((unsigned char)s[end]);
            if (!sa_has(plan->space_bits, sa_code_point(s + end, next)))
                break;
            end += next;
            white++;
        }
        if (white > 1)
            sa_put(rows, &out, " ", 1, 0);
        else {
            end = i + width;
            sa_put(rows, &out, s + i, width, plan->lowercase);
        }
        i = end;
    }
    rows->starts[rows->n_tokens] = out;
}

static int sa_count_characters(const sa_plan *plan, sa_rows *rows, ptrdiff_t n)
{
    for (ptrdiff_t t = 0; t + n <= rows->n_tokens; t++)
        if (!sa_count(plan, rows, rows->text + rows->starts[t],
                      rows->starts[t + n] - rows->starts[t]))
            return 0;
    return 1;
}

/* n-grams of every word between two spaces; a short word's padded whole counts once. */
static int sa_count_within_words(const sa_plan *plan, sa_rows *rows, const char *s,
                                 ptrdiff_t size)
{
    for (ptrdiff_t i = 0; i < size;) {
        ptrdiff_t out = 0;
        rows->n_tokens = 0;
        sa_put(rows, &out, " ", 1, 0);
        for (; i < size; i += sa_width((unsigned char)s[i])) {
            const int width = sa_width((unsigned char)s[i]);
            if (sa_has(plan->space_bits, sa_code_point(s + i, width)))
                break;
            sa_put(rows, &out, s + i, width, plan->lowercase);
        }
        const ptrdiff_t length = rows->n_tokens + 1;
        if (length > 2) {
            sa_put(rows, &out, " ", 1, 0);
            rows->starts[length] = out;
            for (ptrdiff_t n = plan->min_n; n <= plan->max_n; n++) {
                if (n >= length) {
                    if (!sa_count(plan, rows, rows->text, out))
                        return 0;
                    break;
                }
                if (!sa_count_characters(plan, rows, n))
                    return 0;
            }
        }
        if (i < size)
            i += sa_width((unsigned char)s[i]);
    }
    return 1;
}

/* ---------------------------------------------------------------------- document */

/* Append the row of one document. */
static int sa_add_document(const sa_plan *plan, sa_rows *rows, const char *s,
                           ptrdiff_t size)
{
    if (!rows->slots && !sa_make_table(rows, 1024))
        return 0;
    if (!sa_make_room_for_text(rows, size))
        return 0;
    switch (plan->analyzer) {
    case SA_WORD:
        sa_find_words(plan, rows, s, size);
        if (!sa_count_words(plan, rows))
            return 0;
        break;
    case SA_CHAR:
        sa_find_characters(plan, rows, s, size);
        for (ptrdiff_t n = plan->min_n; n <= plan->max_n && n <= rows->n_tokens; n++)
            if (!sa_count_characters(plan, rows, n))
                return 0;
        break;
    default:
        if (!sa_count_within_words(plan, rows, s, size))
            return 0;
    }
    return sa_finish_row(plan, rows);
}

#endif
