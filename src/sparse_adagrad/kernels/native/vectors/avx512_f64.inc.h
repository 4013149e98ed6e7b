/* A register of 8 float64, AVX-512. See portable.inc.h for what is what. */

#define REAL __m512d
#define HALF __m256d
#define MASK __mmask8
#define OP(name) _mm512_##name##_pd
#define HALF_OP(name) _mm256_##name##_pd
#define WIDEN _mm512_castpd256_pd512
#define NARROW _mm512_castpd512_pd256
#define INSERT_HALF _mm512_insertf64x4
#define EXTRACT_HALF _mm512_extractf64x4_pd
#define FPCLASS_MASK _mm512_fpclass_pd_mask
#define PLACES __m256i
#define PLACES_OP(name) _mm256_##name
#define LOOK_UP_MASKED(mask, places, table)                                         \
    _mm512_mask_i32gather_pd(_mm512_setzero_pd(), mask, places, table, 8)
#include "avx512.inc.h"

/* A pair fills an xmm; the even and the odd ones are set side by side. */
#define PAIR_AT(AT, t) _mm_loadu_pd((const double *)AT(t))
#define FOUR(AT, t)                                                                 \
    _mm512_insertf64x4(                                                             \
        _mm512_castpd256_pd512(_mm256_insertf128_pd(                                \
            _mm256_castpd128_pd256(PAIR_AT(AT, t)), PAIR_AT(AT, (t) + 2), 1)),      \
        _mm256_insertf128_pd(_mm256_castpd128_pd256(PAIR_AT(AT, (t) + 4)),          \
                             PAIR_AT(AT, (t) + 6), 1),                              \
        1)
#define GATHER(u, s, AT)                                                            \
    do {                                                                            \
        const __m512d even = FOUR(AT, 0), odd = FOUR(AT, 1);                        \
        u = _mm512_unpacklo_pd(even, odd);                                          \
        s = _mm512_unpackhi_pd(even, odd);                                          \
    } while (0)

#define PUT_PAIR(v, part, AT, t)                                                    \
    _mm_storeu_pd((double *)AT(t), _mm512_extractf64x2_pd(v, part))
#define SCATTER(u, s, AT)                                                           \
    do {                                                                            \
        const __m512d even = _mm512_unpacklo_pd(u, s);                              \
        const __m512d odd = _mm512_unpackhi_pd(u, s);                               \
        PUT_PAIR(even, 0, AT, 0);                                                   \
        PUT_PAIR(odd, 0, AT, 1);                                                    \
        PUT_PAIR(even, 1, AT, 2);                                                   \
        PUT_PAIR(odd, 1, AT, 3);                                                    \
        PUT_PAIR(even, 2, AT, 4);                                                   \
        PUT_PAIR(odd, 2, AT, 5);                                                    \
        PUT_PAIR(even, 3, AT, 6);                                                   \
        PUT_PAIR(odd, 3, AT, 7);                                                    \
    } while (0)
