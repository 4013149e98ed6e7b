/* The row in the variant that the CPU runs best. */
#ifndef SPARSE_ADAGRAD_VARIANTS_H
#define SPARSE_ADAGRAD_VARIANTS_H

#include <stddef.h>
#include <stdint.h>

#include "formula.h"

/* Numbers that a block of the widest vector takes; scratch rows are made for these. */
#define SA_LANES 16

/* The same of a row of one output. */
#define SA_ROW_LANES 8

/* Entries that are looked at together, a bit each. */
#define SA_PIECE 64

/* Entries ahead that are asked for: the CPU's own foresight loses their stream where
 * columns are looked up in between, and is late where indices alone are read (Zen 5:
 * some 20 % more time in both). */
#define SA_AHEAD 2048

#define SA_TOGETHER 16

/* Features of several outputs that are asked for together. */
#define SA_BLOCK 8

/* Columns that are looked for by comparing. */
#define SA_FEW 4

/* Places in a block of at most 8 that is cut off after so many: its first stands for all
 * that are missing. Looked up, since how many there are cannot be foretold. */
static const uint8_t SA_CUT[8][8] = {
    {0},          {0},          {0, 1},          {0, 1, 2},
    {0, 1, 2, 3}, {0, 1, 2, 3, 4}, {0, 1, 2, 3, 4, 5}, {0, 1, 2, 3, 4, 5, 6},
};

/* Ask for a cache line: one that will be written soon, or one that is read in a while.
 * That waits in the first cache too: where it was to wait in the second, some placements
 * of the state made every start of a run of rows cost 300 ns (Zen 5), a third of an
 * epoch in runs of eight. Hints; nothing where unknown. */
#ifdef __GNUC__
#define sa_prefetch(address) __builtin_prefetch(address, 1)
#define sa_prefetch_early(address) __builtin_prefetch(address, 0, 3)
#else
#define sa_prefetch(address) ((void)(address))
#define sa_prefetch_early(address) ((void)(address))
#endif

/* A function whose calls with constants are worth code of their own, or that only asks
 * for lines: GCC takes that for nothing, and leaves a call of it out. */
#ifdef __GNUC__
#define SA_INLINE inline __attribute__((always_inline))
#else
#define SA_INLINE inline
#endif

/* A function that is not made part of another. */
#ifdef __GNUC__
#define SA_APART __attribute__((noinline))
#else
#define SA_APART
#endif

/* Bytes of a cache line, or half of one. */
#define SA_LINE 64

/* Ask for so many bytes that are read in a while. */
static SA_INLINE void sa_prefetch_bytes(const void *from, ptrdiff_t size)
{
    for (ptrdiff_t line = 0; line < size; line += SA_LINE)
        sa_prefetch_early((const char *)from + line);
}

/* Ask for a feature of `size` bytes that will be written soon. */
static SA_INLINE void sa_prefetch_feature(
    const void *features, ptrdiff_t size, ptrdiff_t feature)
{
    for (ptrdiff_t line = 0; line < size; line += SA_LINE)
        sa_prefetch((const char *)features + feature * size + line);
}

/* So many features rounded up to whole blocks. */
static SA_INLINE ptrdiff_t sa_in_blocks(ptrdiff_t count)
{
    return (count + SA_BLOCK - 1) / SA_BLOCK * SA_BLOCK;
}

/* The lowest bit of some. */
static SA_INLINE int sa_lowest(uint64_t bits)
{
#ifdef __GNUC__
    return __builtin_ctzll(bits);
#else
    int place = 0;
    while (!(bits >> place & 1))
        place++;
    return place;
#endif
}

/* The place of the highest bit, from 1, and 0 of none; of a number that is not negative. */
static SA_INLINE int sa_bit_length(int64_t number)
{
#ifdef __GNUC__
    /* No branch for 0: it may be as frequent as others. */
    return 63 - __builtin_clzll(2 * (uint64_t)number + 1);
#else
    int length = 0;
    for (; number; number >>= 1)
        length++;
    return length;
#endif
}

/* Bits that mark columns, for those so many apart the same: few enough for a near cache. */
#define SA_MARKS (1 << 17)

static SA_INLINE void sa_mark(uint8_t *marks, int64_t column)
{
    marks[(column & (SA_MARKS - 1)) >> 3] |= (uint8_t)(1 << (column & 7));
}

static SA_INLINE int sa_is_marked(const uint8_t *marks, int64_t column)
{
    return marks[(column & (SA_MARKS - 1)) >> 3] >> (column & 7) & 1;
}

/* What `inspect` looks for, and what it adds to. */
typedef struct {
    int64_t n_features;
    double largest;   /* what no size may be above */
    double floor;     /* sizes above it raise their column's; `largest`: none do */
    void *column_max; /* largest sizes, numbers, one a column */
    int is_far;       /* whether these are worth asking for ahead */
    /* Where they are: of columns whose sizes matter up to twice the floor; NULL: all. */
    const uint8_t *marks;
    double sq_sum;    /* of all entries' squares */
    int64_t n_falls;  /* columns that do not rise above that of the entry before */
} sa_inspection;

/* What a stream measures of a row. */
typedef struct {
    double largest; /* of the largest sizes of its columns */
    double sq_sum;  /* of its squares */
} sa_measured;

/* The functions of row.inc.h and those beside it for one number and one index type. */
#define SA_ROWS(NUMBER, PAIR, INDEX)                                                \
    struct {                                                                        \
        double (*read_row)(const PAIR *, const INDEX *, const NUMBER *, ptrdiff_t,  \
                           NUMBER *, double, double, double);                       \
        int (*step_row)(PAIR *, const INDEX *, const NUMBER *, ptrdiff_t,           \
                        const NUMBER *, double, double, const INDEX *, ptrdiff_t);  \
        void (*restore_row)(PAIR *, const INDEX *, ptrdiff_t, const NUMBER *);      \
        void (*read_outputs)(const NUMBER *, const INDEX *, const NUMBER *,         \
                             ptrdiff_t, ptrdiff_t, NUMBER *, const NUMBER *,        \
                             const NUMBER *, const NUMBER *, NUMBER *);             \
        int (*step_outputs)(NUMBER *, const INDEX *, const NUMBER *, ptrdiff_t,     \
                            ptrdiff_t, const NUMBER *, const NUMBER *,              \
                            const NUMBER *, const INDEX *, ptrdiff_t);              \
        int (*inspect)(const NUMBER *, const INDEX *, ptrdiff_t, ptrdiff_t,         \
                       sa_inspection *);                                            \
        int (*in_range)(const INDEX *, ptrdiff_t, int64_t);                         \
        int (*has_few)(const INDEX *, ptrdiff_t, ptrdiff_t, const INDEX *);         \
        double (*dot_row)(const NUMBER *, const INDEX *, ptrdiff_t, const NUMBER *);\
        sa_measured (*measure_row)(const NUMBER *, const INDEX *, ptrdiff_t,        \
                                   NUMBER *, NUMBER *);                             \
    }

typedef SA_ROWS(float, sa_pair_f32, int32_t) sa_rows_f32_i32;
typedef SA_ROWS(float, sa_pair_f32, int64_t) sa_rows_f32_i64;
typedef SA_ROWS(double, sa_pair_f64, int32_t) sa_rows_f64_i32;
typedef SA_ROWS(double, sa_pair_f64, int64_t) sa_rows_f64_i64;

typedef struct {
    const char *name;
    sa_rows_f32_i32 f32_i32;
    sa_rows_f32_i64 f32_i64;
    sa_rows_f64_i32 f64_i32;
    sa_rows_f64_i64 f64_i64;
} sa_variant;

/* The variant at a place among those that run here, narrowest first; NULL past them. */
const sa_variant *sa_variant_at(int place);

/* Bytes of a state that is near enough to the core that asking for a coming row's part
 * of it costs more than it saves. AMD's third cache is near (Zen 5: rows at 2 and 4 MB
 * take 3 to 8 % less time unasked for), but for what another core has written if the
 * state is shared; Intel's is not (Sapphire Rapids: asking gains 20 % at 2 MB). */
ptrdiff_t sa_near_bytes(int shared);

#endif
