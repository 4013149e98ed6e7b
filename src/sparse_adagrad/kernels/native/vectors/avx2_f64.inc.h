/* A register of 4 float64, AVX2. See portable.inc.h for what is what. */

#define REAL __m256d
#define HALF __m128d
#define OP(name) _mm256_##name##_pd
#define HALF_OP(name) _mm_##name##_pd
#define WIDEN _mm256_castpd128_pd256
#define NARROW _mm256_castpd256_pd128
#define INSERT_HALF _mm256_insertf128_pd
#define EXTRACT_HALF _mm256_extractf128_pd

static inline __m256i LOCAL(first)(ptrdiff_t count)
{
    return _mm256_cmpgt_epi64(_mm256_set1_epi64x(count),
                              _mm256_setr_epi64x(0, 1, 2, 3));
}

typedef __m256d LOCAL(squares);

static inline __m256d LOCAL(no_squares)(void) { return _mm256_setzero_pd(); }

static inline void LOCAL(add_squares)(__m256d *sums, __m256d v)
{
    *sums = _mm256_fmadd_pd(v, v, *sums);
}

#include "avx2.inc.h"

static inline double LOCAL(total)(__m256d v)
{
    __m128d sum = _mm_add_pd(_mm256_castpd256_pd128(v), _mm256_extractf128_pd(v, 1));
    return _mm_cvtsd_f64(_mm_add_sd(sum, _mm_unpackhi_pd(sum, sum)));
}

static inline double LOCAL(largest)(__m256d v)
{
    __m128d most = _mm_max_pd(_mm256_castpd256_pd128(v), _mm256_extractf128_pd(v, 1));
    return _mm_cvtsd_f64(_mm_max_sd(most, _mm_unpackhi_pd(most, most)));
}

static inline double LOCAL(sum)(__m256d sums) { return LOCAL(total)(sums); }

/* A pair fills an xmm; the even and the odd ones are set side by side. */
#define PAIR_AT(AT, t) _mm_loadu_pd((const double *)AT(t))
#define TWO(AT, t)                                                                  \
    _mm256_insertf128_pd(_mm256_castpd128_pd256(PAIR_AT(AT, t)),                    \
                         PAIR_AT(AT, (t) + 2), 1)
#define GATHER(u, s, AT)                                                            \
    do {                                                                            \
        const __m256d even = TWO(AT, 0), odd = TWO(AT, 1);                          \
        u = _mm256_unpacklo_pd(even, odd);                                          \
        s = _mm256_unpackhi_pd(even, odd);                                          \
    } while (0)

#define PUT_PAIR(v, part, AT, t)                                                    \
    _mm_storeu_pd((double *)AT(t), _mm256_extractf128_pd(v, part))
#define SCATTER(u, s, AT)                                                           \
    do {                                                                            \
        const __m256d even = _mm256_unpacklo_pd(u, s);                              \
        const __m256d odd = _mm256_unpackhi_pd(u, s);                               \
        PUT_PAIR(odd, 1, AT, 3);                                                    \
        PUT_PAIR(even, 1, AT, 2);                                                   \
        PUT_PAIR(odd, 0, AT, 1);                                                    \
        PUT_PAIR(even, 0, AT, 0);                                                   \
    } while (0)

/* Numbers one by one. */
#define COLLECT(v, AT) v = _mm256_setr_pd(*AT(0), *AT(1), *AT(2), *AT(3))
