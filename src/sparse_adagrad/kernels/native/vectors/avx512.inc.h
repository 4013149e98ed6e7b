/* What registers of both types share, AVX-512: OP(name) is an operation on a whole one,
 * HALF_OP(name) on a half. */

typedef REAL LOCAL(vec);

static inline REAL LOCAL(spread)(NUMBER value) { return OP(set1)(value); }

static inline MASK LOCAL(first)(ptrdiff_t count) { return (MASK)((1u << count) - 1u); }

static inline REAL LOCAL(load)(const NUMBER *from, ptrdiff_t count)
{
    return count >= LANES ? OP(loadu)(from)
                          : OP(maskz_loadu)(LOCAL(first)(count), from);
}

static inline void LOCAL(store)(NUMBER *to, REAL v, ptrdiff_t count)
{
    if (count >= LANES)
        OP(storeu)(to, v);
    else
        OP(mask_storeu)(to, LOCAL(first)(count), v);
}

static inline NUMBER LOCAL(total)(REAL v) { return OP(reduce_add)(v); }

#define LOAD_FIRST(from, count)                                                     \
    HALF_OP(maskz_loadu)((__mmask8)LOCAL(first)(count), from)
#define STORE_FIRST(to, v, count)                                                   \
    HALF_OP(mask_storeu)(to, (__mmask8)LOCAL(first)(count), v)
#include "halves.inc.h"

#define SQRT OP(sqrt)
#define FABS(a) OP(abs)(a)
/* The second operand is the result where one is not a number. */
#define POSITIVE(a) OP(max)(OP(setzero)(), a)
#define SIGNED(size, sign) OP(or)(size, OP(and)(sign, OP(set1)(-0.0f)))
