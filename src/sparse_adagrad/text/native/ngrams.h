/* From text to counts of hashed n-grams, a document at a time.
 *
 * (a) A document is UTF-8 that holds no invalid sequence; lower-casing beyond ASCII has
 *     been done before. Characters are classified by a bit each, as Python's `re` and
 *     str.split do.
 * (b) An n-gram of words is a run of bytes of a scratch text that has one space between
 *     two; of characters, likewise.
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
enum { FEW = 64 };

/* What stays the same for all documents. */
typedef struct {
    int analyzer;
    int alternate_sign;
    ptrdiff_t min_n, max_n;
    uint32_t n_features;
    uint32_t column_mask; /* n_features - 1 where that is a power of two, else 0 */
    /* What a byte below 128 becomes, lower case where asked for. */
    char lowered[128];
    /* The same for a letter of a word; 0 for any other byte, also above 127. */
    char letters[256];
    /* A bit for each of the 0x110000 code points. */
    const uint8_t *word_bits, *space_bits;
    /* Stop words: an open-addressing table of places in a list, -1 where empty. */
    const int32_t *stop_table;
    uint32_t stop_mask;
    const char *stop_text;
    const int64_t *stop_starts;
} sa_plan;

/* A column, -1 where there is none, and what has been counted of it. */
typedef struct {
    int32_t column, count;
} sa_slot;

/* Rows made so far, and memory to make one. Zeroed by the caller, freed by
 * sa_free_rows. */
typedef struct {
    char *text; /* tokens or characters of the document */
    ptrdiff_t text_room;
    ptrdiff_t *starts, *ends; /* of tokens, or starts of characters */
    ptrdiff_t n_tokens, token_room;
    sa_slot *slots; /* a power of two of them */
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
    free(rows->used);
    free(rows->pairs);
    free(rows->sorted);
    free(rows->indices);
    free(rows->counts);
}

/* An empty table of so many slots, a power of two. */
static int sa_make_table(sa_rows *rows, uint32_t size)
{
    if (!sa_grow((void **)&rows->slots, size, sizeof(sa_slot))
        || !sa_grow((void **)&rows->used, size, sizeof(uint32_t))
        || !sa_grow((void **)&rows->pairs, size, sizeof(uint64_t))
        || !sa_grow((void **)&rows->sorted, size, sizeof(uint64_t)))
        return 0;
    memset(rows->slots, -1, size * sizeof(sa_slot));
    rows->mask = size - 1;
    rows->n_used = 0;
    return 1;
}

static int sa_make_room_for_text(sa_rows *rows, ptrdiff_t size)
{
    /* The document, and behind it a copy that is read and written by 64 bytes. */
    if (2 * size + 128 > rows->text_room) {
        rows->text_room = 4 * size + 128;
        if (!sa_grow((void **)&rows->text, rows->text_room, 1))
            return 0;
    }
    /* Places, no more than bytes and spaces before and behind. */
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

/* -------------------------------------------------------------------------- hash */

static inline uint32_t sa_rotate(uint32_t x, int by) { return x << by | x >> (32 - by); }

static inline uint32_t sa_mix(uint32_t k)
{
    return sa_rotate(k * 0xcc9e2d51u, 15) * 0x1b873593u;
}

/* Little-endian on every machine; compilers make one load of it. */
static inline uint32_t sa_four_bytes(const unsigned char *s)
{
    return s[0] | (uint32_t)s[1] << 8 | (uint32_t)s[2] << 16 | (uint32_t)s[3] << 24;
}

/* Reads up to three bytes beyond the end, which the caller has room for. */
static inline uint32_t sa_murmur3(const char *bytes, ptrdiff_t size)
{
    const unsigned char *s = (const unsigned char *)bytes;
    uint32_t h = 0;
    ptrdiff_t i = 0;
    for (; i + 4 <= size; i += 4)
        h = sa_rotate(h ^ sa_mix(sa_four_bytes(s + i)), 13) * 5 + 0xe6546b64u;
    /* Of what is left none to three bytes count; none change nothing. No branch, since
     * lengths cannot be foretold. */
    h ^= sa_mix(sa_four_bytes(s + i) & ((1u << 8 * (size & 3)) - 1));
    h ^= (uint32_t)size;
    h = (h ^ h >> 16) * 0x85ebca6bu;
    h = (h ^ h >> 13) * 0xc2b2ae35u;
    return h ^ h >> 16;
}

/* ------------------------------------------------------------------------- count */

/* Add `value` to the count of a column. */
static inline int sa_add(sa_rows *rows, int32_t column, int32_t value)
{
    /* A column is a hash already. */
    uint32_t place = (uint32_t)column & rows->mask;
    while (rows->slots[place].column >= 0 && rows->slots[place].column != column)
        place = (place + 1) & rows->mask;
    sa_slot *slot = rows->slots + place;
    if (slot->column < 0) {
        slot->column = column;
        slot->count = 0;
        rows->used[rows->n_used++] = place;
    }
    slot->count += value;
    return 2 * (uint64_t)rows->n_used <= rows->mask;
}

/* The table twice as large. */
static int sa_grow_table(sa_rows *rows)
{
    const ptrdiff_t n_used = rows->n_used;
    if (rows->mask >> 30)
        return 0;
    sa_slot *kept = malloc((size_t)(n_used + 1) * sizeof(sa_slot));
    if (!kept)
        return 0;
    for (ptrdiff_t k = 0; k < n_used; k++)
        kept[k] = rows->slots[rows->used[k]];
    if (!sa_make_table(rows, 2 * (rows->mask + 1))) {
        free(kept);
        return 0;
    }
    for (ptrdiff_t k = 0; k < n_used; k++)
        sa_add(rows, kept[k].column, kept[k].count);
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
    const uint32_t column =
        plan->column_mask ? place & plan->column_mask : place % plan->n_features;
    return sa_add(rows, (int32_t)column, value) || sa_grow_table(rows);
}

/* Sort pairs by their column: few by insertion, more by a byte at a time. */
static uint64_t *sa_sort(uint64_t *pairs, uint64_t *other, ptrdiff_t n,
                         uint32_t n_features)
{
    if (n <= FEW) {
        for (ptrdiff_t k = 1; k < n; k++) {
            const uint64_t pair = pairs[k];
            ptrdiff_t t = k;
            for (; t && pairs[t - 1] > pair; t--)
                pairs[t] = pairs[t - 1];
            pairs[t] = pair;
        }
        return pairs;
    }
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
        sa_slot *slot = rows->slots + rows->used[k];
        rows->pairs[k] = (uint64_t)(uint32_t)slot->column << 32 | (uint32_t)slot->count;
        slot->column = -1;
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

/* Copy the word that starts at `s` to `to`; return its bytes, and count characters. */
static inline ptrdiff_t sa_copy_word(const sa_plan *plan, const char *s, const char *end,
                                     char *to, ptrdiff_t *characters)
{
    const char *const start = s;
    *characters = 0;
    while (s < end) {
        const char letter = plan->letters[(unsigned char)*s];
        if (letter) {
            *to++ = letter;
            s++;
        }
        else {
            const int width = sa_width((unsigned char)*s);
            if (width == 1 || !sa_has(plan->word_bits, sa_code_point(s, width)))
                break;
            for (int b = 0; b < width; b++)
                *to++ = *s++;
        }
        ++*characters;
    }
    return s - start;
}

/* Words of two or more characters in any text, character by character. */
static void sa_find_any_words(const sa_plan *plan, sa_rows *rows, const char *s,
                              ptrdiff_t size)
{
    const char *const end = s + size;
    ptrdiff_t out = 0, characters;
    rows->n_tokens = 0;
    while (s < end) {
        const ptrdiff_t bytes = sa_copy_word(plan, s, end, rows->text + out, &characters);
        s += bytes;
        if (characters > 1) {
            rows->starts[rows->n_tokens] = out;
            out += bytes;
            rows->ends[rows->n_tokens++] = out++;
        }
        /* What ended the word is none of a word's characters. */
        if (s < end)
            s += sa_width((unsigned char)*s);
    }
}

/* ASCII goes eight bytes at a time: where a word starts and ends cannot be foretold, so
 * no branch asks. The high bit of a byte says what holds for it. */
#define EACH_BYTE 0x0101010101010101u
#define HIGH_BITS 0x8080808080808080u

/* Of bytes below 128, those from `first` to `last`. */
static inline uint64_t sa_between(uint64_t bytes, uint64_t first, uint64_t last)
{
    return (bytes + (128 - first) * EACH_BYTE) & ~(bytes + (127 - last) * EACH_BYTE)
        & HIGH_BITS;
}

static inline uint64_t sa_in_word(uint64_t bytes)
{
    return sa_between(bytes | 0x20 * EACH_BYTE, 'a', 'z') | sa_between(bytes, '0', '9')
        | sa_between(bytes, '_', '_');
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

/* Write where words start and end by turns to `edges`, and the text, in lower case where
 * asked for, to `to`, which has room for 64 bytes more. Return the number of edges, an
 * even one, or -1 where a byte is not ASCII. */
static ptrdiff_t sa_find_edges(const sa_plan *plan, const char *s, ptrdiff_t size,
                               char *to, ptrdiff_t *edges)
{
#if defined(__BYTE_ORDER__) && __BYTE_ORDER__ == __ORDER_BIG_ENDIAN__
    return -1; /* The first byte is the lowest below. */
#endif
    const uint64_t fold = plan->lowered['A'] == 'a' ? ~(uint64_t)0 : 0;
    ptrdiff_t n_edges = 0;
    uint64_t before = 0; /* whether the last block ended inside a word */
    for (ptrdiff_t at = 0; at < size; at += 64) {
        uint64_t block[8] = {0}, word = 0, beyond = 0;
        memcpy(block, s + at, size - at < 64 ? (size_t)(size - at) : 64);
        for (int b = 0; b < 8; b++) {
            const uint64_t bytes = block[b];
            beyond |= bytes;
            /* One bit for each of eight bytes, gathered by the product. */
            word |= ((sa_in_word(bytes) >> 7) * 0x0102040810204080u >> 56) << 8 * b;
            block[b] = bytes | (sa_between(bytes, 'A', 'Z') >> 2 & fold);
        }
        if (beyond & HIGH_BITS)
            return -1;
        memcpy(to + at, block, 64);
        uint64_t changes = word ^ (word << 1 | before);
        before = word >> 63;
        for (; changes; changes &= changes - 1)
            edges[n_edges++] = at + sa_first_bit(changes);
    }
    if (before)
        edges[n_edges++] = size;
    return n_edges;
}

/* Words of two or more characters as places in the scratch text, where one space stands
 * between two if n-grams need it. */
static void sa_find_words(const sa_plan *plan, sa_rows *rows, const char *s,
                          ptrdiff_t size)
{
    const ptrdiff_t copy = size + 8;
    const ptrdiff_t n_edges =
        sa_find_edges(plan, s, size, rows->text + copy, rows->starts);
    if (n_edges < 0)
        sa_find_any_words(plan, rows, s, size);
    else {
        ptrdiff_t n = 0;
        for (ptrdiff_t e = 0; e < n_edges; e += 2) {
            const ptrdiff_t start = rows->starts[e], end = rows->starts[e + 1];
            rows->starts[n] = copy + start;
            rows->ends[n] = copy + end;
            n += end - start > 1;
        }
        rows->n_tokens = n;
    }
    if (plan->stop_table) {
        ptrdiff_t n = 0;
        for (ptrdiff_t t = 0; t < rows->n_tokens; t++) {
            const ptrdiff_t start = rows->starts[t], end = rows->ends[t];
            rows->starts[n] = start;
            rows->ends[n] = end;
            n += !sa_is_stop_word(plan, rows->text + start, end - start);
        }
        rows->n_tokens = n;
    }
    if (plan->max_n > 1) {
        ptrdiff_t out = 0;
        for (ptrdiff_t t = 0; t < rows->n_tokens; t++) {
            const ptrdiff_t bytes = rows->ends[t] - rows->starts[t];
            memmove(rows->text + out, rows->text + rows->starts[t], (size_t)bytes);
            rows->starts[t] = out;
            out += bytes;
            rows->ends[t] = out;
            rows->text[out++] = ' ';
        }
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

static inline void sa_put(const sa_plan *plan, sa_rows *rows, ptrdiff_t *out,
                          const char *s, int width)
{
    rows->starts[rows->n_tokens++] = *out;
    if (width == 1)
        rows->text[*out] = plan->lowered[(unsigned char)*s];
    else
        for (int b = 0; b < width; b++)
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
            sa_put(plan, rows, &out, " ", 1);
        else {
            end = i + width;
            sa_put(plan, rows, &out, s + i, width);
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
        sa_put(plan, rows, &out, " ", 1);
        for (; i < size; i += sa_width((unsigned char)s[i])) {
            const int width = sa_width((unsigned char)s[i]);
            if (sa_has(plan->space_bits, sa_code_point(s + i, width)))
                break;
            sa_put(plan, rows, &out, s + i, width);
        }
        const ptrdiff_t length = rows->n_tokens + 1;
        if (length > 2) {
            sa_put(plan, rows, &out, " ", 1);
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
