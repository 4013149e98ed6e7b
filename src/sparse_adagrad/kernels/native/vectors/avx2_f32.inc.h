/* A register of 8 float32, AVX2. See portable.inc.h for what is what. */

#define REAL __m256
#define HALF __m128
#define OP(name) _mm256_##name##_ps
#define HALF_OP(name) _mm_##name##_ps
#define WIDEN _mm256_castps128_ps256
#define NARROW _mm256_castps256_ps128
#define INSERT_HALF _mm256_insertf128_ps
#define EXTRACT_HALF _mm256_extractf128_ps

static inline __m256i LOCAL(first)(ptrdiff_t count)
{
    return _mm256_cmpgt_epi32(_mm256_set1_epi32((int)count),
                              _mm256_setr_epi32(0, 1, 2, 3, 4, 5, 6, 7));
}

/* Eight sums. */
typedef struct {
    __m256d low, high;
} LOCAL(squares);

static inline LOCAL(squares) LOCAL(no_squares)(void)
{
    const LOCAL(squares) none = {_mm256_setzero_pd(), _mm256_setzero_pd()};
    return none;
}

static inline void LOCAL(add_squares)(LOCAL(squares) *sums, __m256 v)
{
    const __m256d low = _mm256_cvtps_pd(_mm256_castps256_ps128(v));
    const __m256d high = _mm256_cvtps_pd(_mm256_extractf128_ps(v, 1));
    sums->low = _mm256_fmadd_pd(low, low, sums->low);
    sums->high = _mm256_fmadd_pd(high, high, sums->high);
}

static inline double LOCAL(sum)(LOCAL(squares) sums)
{
    double four[4];
    _mm256_storeu_pd(four, sums.low + sums.high);
    return four[0] + four[1] + four[2] + four[3];
}

#include "avx2.inc.h"

static inline float LOCAL(total)(__m256 v)
{
    __m128 sum = _mm_add_ps(_mm256_castps256_ps128(v), _mm256_extractf128_ps(v, 1));
    sum = _mm_add_ps(sum, _mm_movehl_ps(sum, sum));
    return _mm_cvtss_f32(_mm_add_ss(sum, _mm_movehdup_ps(sum)));
}

static inline float LOCAL(largest)(__m256 v)
{
    __m128 most = _mm_max_ps(_mm256_castps256_ps128(v), _mm256_extractf128_ps(v, 1));
    most = _mm_max_ps(most, _mm_movehl_ps(most, most));
    return _mm_cvtss_f32(_mm_max_ss(most, _mm_movehdup_ps(most)));
}

/* A pair is loaded as one item of 64 bits. Two pairs make an xmm; the even and the odd
 * ones of these are set side by side, so that one shuffle within 128 bits parts u from
 * s. */
#define TWO(AT, t)                                                                  \
    _mm_loadh_pi(_mm_castsi128_ps(_mm_loadl_epi64((const __m128i *)AT(t))),         \
                 (const __m64 *)AT((t) + 1))
#define FOUR(AT, t)                                                                 \
    _mm256_insertf128_ps(_mm256_castps128_ps256(TWO(AT, t)), TWO(AT, (t) + 4), 1)
#define GATHER(u, s, AT)                                                            \
    do {                                                                            \
        const __m256 even = FOUR(AT, 0), odd = FOUR(AT, 2);                         \
        u = _mm256_shuffle_ps(even, odd, 0x88);                                     \
        s = _mm256_shuffle_ps(even, odd, 0xdd);                                     \
    } while (0)

#define PUT_TWO(v, part, AT, t)                                                     \
    do {                                                                            \
        const __m128 two = _mm256_extractf128_ps(v, part);                          \
        _mm_storeh_pi((__m64 *)AT((t) + 1), two);                                   \
        _mm_storel_pi((__m64 *)AT(t), two);                                         \
    } while (0)
#define SCATTER(u, s, AT)                                                           \
    do {                                                                            \
        const __m256 even = _mm256_unpacklo_ps(u, s);                               \
        const __m256 odd = _mm256_unpackhi_ps(u, s);                                \
        PUT_TWO(odd, 1, AT, 6);                                                     \
        PUT_TWO(even, 1, AT, 4);                                                    \
        PUT_TWO(odd, 0, AT, 2);                                                     \
        PUT_TWO(even, 0, AT, 0);                                                    \
    } while (0)

/* Numbers one by one. */
#define COLLECT(v, AT)                                                              \
    v = _mm256_setr_ps(*AT(0), *AT(1), *AT(2), *AT(3), *AT(4), *AT(5), *AT(6), *AT(7))
