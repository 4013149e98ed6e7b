/* What registers of both types share, AVX2: OP(name) is an operation on a whole one,
 * HALF_OP(name) on a half. */

typedef REAL LOCAL(vec);

static inline REAL LOCAL(spread)(NUMBER value) { return OP(set1)(value); }

static inline REAL LOCAL(load)(const NUMBER *from, ptrdiff_t count)
{
    return count >= LANES ? OP(loadu)(from)
                          : OP(maskload)(from, LOCAL(first)(count));
}

static inline void LOCAL(store)(NUMBER *to, REAL v, ptrdiff_t count)
{
    if (count >= LANES)
        OP(storeu)(to, v);
    else
        OP(maskstore)(to, LOCAL(first)(count), v);
}

#define LOAD_FIRST(from, count)                                                     \
    HALF_OP(maskload)(from, _mm256_castsi256_si128(LOCAL(first)(count)))
#define STORE_FIRST(to, v, count)                                                   \
    HALF_OP(maskstore)(to, _mm256_castsi256_si128(LOCAL(first)(count)), v)
#include "halves.inc.h"

#define SQRT OP(sqrt)
#define FABS(a) OP(andnot)(OP(set1)(-0.0f), a)
/* The second operand is the result where one is not a number. */
#define POSITIVE(a) OP(max)(OP(setzero)(), a)
#define SIGNED(size, sign) OP(or)(size, OP(and)(sign, OP(set1)(-0.0f)))

static inline REAL LOCAL(sizes)(REAL v) { return FABS(v); }

static inline REAL LOCAL(larger)(REAL a, REAL b) { return OP(max)(a, b); }

static inline uint64_t LOCAL(places_larger)(REAL a, REAL b)
{
    return (uint64_t)OP(movemask)(OP(cmp)(a, b, _CMP_GT_OQ));
}

static SA_INLINE uint64_t LOCAL(places_above)(
    const NUMBER *x, ptrdiff_t count, NUMBER floor, LOCAL(squares) *squares)
{
    const REAL floors = OP(set1)(floor);
    uint64_t places = 0;
    for (ptrdiff_t t = 0; t < count; t += LANES) {
        const REAL v = LOCAL(load)(x + t, count - t);
        const int above = OP(movemask)(OP(cmp)(FABS(v), floors, _CMP_NLE_UQ));
        places |= (uint64_t)above << t;
        LOCAL(add_squares)(squares, v);
    }
    return places;
}
