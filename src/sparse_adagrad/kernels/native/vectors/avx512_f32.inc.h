/* A register of 16 float32, AVX-512. See portable.inc.h for what is what. */

#define REAL __m512
#define HALF __m256
#define MASK __mmask16
#define OP(name) _mm512_##name##_ps
#define HALF_OP(name) _mm256_##name##_ps
#define WIDEN _mm512_castps256_ps512
#define NARROW _mm512_castps512_ps256
#define INSERT_HALF _mm512_insertf32x8
#define EXTRACT_HALF _mm512_extractf32x8_ps
#define FPCLASS_MASK _mm512_fpclass_ps_mask
#define PLACES __m512i
#define PLACES_OP(name) _mm512_##name
#define LOOK_UP_MASKED(mask, places, table)                                         \
    _mm512_mask_i32gather_ps(_mm512_setzero_ps(), mask, places, table, 4)
#include "avx512.inc.h"

/* A pair is loaded as one item of 64 bits. Two pairs make an xmm; the even and the odd
 * ones of these are set side by side, so that one shuffle within 128 bits parts u from
 * s. */
#define TWO(AT, t)                                                                  \
    _mm_loadh_pi(_mm_castsi128_ps(_mm_loadl_epi64((const __m128i *)AT(t))),         \
                 (const __m64 *)AT((t) + 1))
#define FOUR(AT, t)                                                                 \
    _mm256_insertf128_ps(_mm256_castps128_ps256(TWO(AT, t)), TWO(AT, (t) + 4), 1)
#define EIGHT(AT, t)                                                                \
    _mm512_insertf32x8(_mm512_castps256_ps512(FOUR(AT, t)), FOUR(AT, (t) + 8), 1)
#define GATHER(u, s, AT)                                                            \
    do {                                                                            \
        const __m512 even = EIGHT(AT, 0), odd = EIGHT(AT, 2);                       \
        u = _mm512_shuffle_ps(even, odd, 0x88);                                     \
        s = _mm512_shuffle_ps(even, odd, 0xdd);                                     \
    } while (0)

#define PUT_TWO(v, part, AT, t)                                                     \
    do {                                                                            \
        const __m128 two = _mm512_extractf32x4_ps(v, part);                         \
        _mm_storel_pi((__m64 *)AT(t), two);                                         \
        _mm_storeh_pi((__m64 *)AT((t) + 1), two);                                   \
    } while (0)
#define SCATTER(u, s, AT)                                                           \
    do {                                                                            \
        const __m512 even = _mm512_unpacklo_ps(u, s);                               \
        const __m512 odd = _mm512_unpackhi_ps(u, s);                                \
        PUT_TWO(even, 0, AT, 0);                                                    \
        PUT_TWO(odd, 0, AT, 2);                                                     \
        PUT_TWO(even, 1, AT, 4);                                                    \
        PUT_TWO(odd, 1, AT, 6);                                                     \
        PUT_TWO(even, 2, AT, 8);                                                    \
        PUT_TWO(odd, 2, AT, 10);                                                    \
        PUT_TWO(even, 3, AT, 12);                                                   \
        PUT_TWO(odd, 3, AT, 14);                                                    \
    } while (0)
