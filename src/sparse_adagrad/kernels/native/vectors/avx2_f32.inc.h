/* A register of 8 float32, AVX2. See portable.inc.h for what is what. */

typedef __m256 LOCAL(vec);

static inline __m256 LOCAL(spread)(float value) { return _mm256_set1_ps(value); }

static inline __m256i LOCAL(first)(ptrdiff_t count)
{
    return _mm256_cmpgt_epi32(_mm256_set1_epi32((int)count),
                              _mm256_setr_epi32(0, 1, 2, 3, 4, 5, 6, 7));
}

static inline __m256 LOCAL(load)(const float *from, ptrdiff_t count)
{
    return count >= 8 ? _mm256_loadu_ps(from)
                      : _mm256_maskload_ps(from, LOCAL(first)(count));
}

static inline void LOCAL(store)(float *to, __m256 v, ptrdiff_t count)
{
    if (count >= 8)
        _mm256_storeu_ps(to, v);
    else
        _mm256_maskstore_ps(to, LOCAL(first)(count), v);
}

static inline __m256 LOCAL(halves)(__m128 low, __m128 high)
{
    return _mm256_insertf128_ps(_mm256_castps128_ps256(low), high, 1);
}

static inline __m256 LOCAL(spread_halves)(float low, float high)
{
    return LOCAL(halves)(_mm_set1_ps(low), _mm_set1_ps(high));
}

static inline __m256 LOCAL(load_halves)(
    const float *low, const float *high, ptrdiff_t count)
{
    const __m128i first = _mm256_castsi256_si128(LOCAL(first)(count));
    if (count == 4)
        return LOCAL(halves)(_mm_loadu_ps(low), _mm_loadu_ps(high));
    return LOCAL(halves)(_mm_maskload_ps(low, first), _mm_maskload_ps(high, first));
}

static inline void LOCAL(store_halves)(
    float *low, float *high, __m256 v, ptrdiff_t count)
{
    const __m128i first = _mm256_castsi256_si128(LOCAL(first)(count));
    if (count == 4) {
        _mm_storeu_ps(high, _mm256_extractf128_ps(v, 1));
        _mm_storeu_ps(low, _mm256_castps256_ps128(v));
    }
    else {
        _mm_maskstore_ps(high, first, _mm256_extractf128_ps(v, 1));
        _mm_maskstore_ps(low, first, _mm256_castps256_ps128(v));
    }
}

static inline float LOCAL(total)(__m256 v)
{
    __m128 sum = _mm_add_ps(_mm256_castps256_ps128(v), _mm256_extractf128_ps(v, 1));
    sum = _mm_add_ps(sum, _mm_movehl_ps(sum, sum));
    return _mm_cvtss_f32(_mm_add_ss(sum, _mm_movehdup_ps(sum)));
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
        _mm_storel_pi((__m64 *)AT(t), two);                                         \
        _mm_storeh_pi((__m64 *)AT((t) + 1), two);                                   \
    } while (0)
#define SCATTER(u, s, AT)                                                           \
    do {                                                                            \
        const __m256 even = _mm256_unpacklo_ps(u, s);                               \
        const __m256 odd = _mm256_unpackhi_ps(u, s);                                \
        PUT_TWO(even, 0, AT, 0);                                                    \
        PUT_TWO(odd, 0, AT, 2);                                                     \
        PUT_TWO(even, 1, AT, 4);                                                    \
        PUT_TWO(odd, 1, AT, 6);                                                     \
    } while (0)

#define REAL __m256
#define SQRT _mm256_sqrt_ps
#define FABS(a) _mm256_andnot_ps(_mm256_set1_ps(-0.0f), a)
/* The second operand is the result where one is not a number. */
#define POSITIVE(a) _mm256_max_ps(_mm256_setzero_ps(), a)
#define SIGNED(size, sign)                                                          \
    _mm256_or_ps(size, _mm256_and_ps(sign, _mm256_set1_ps(-0.0f)))
