/* A register of 4 float64, AVX2. See portable.inc.h for what is what. */

typedef __m256d LOCAL(vec);

static inline __m256d LOCAL(spread)(double value) { return _mm256_set1_pd(value); }

static inline __m256i LOCAL(first)(ptrdiff_t count)
{
    return _mm256_cmpgt_epi64(_mm256_set1_epi64x(count),
                              _mm256_setr_epi64x(0, 1, 2, 3));
}

static inline __m256d LOCAL(load)(const double *from, ptrdiff_t count)
{
    return count >= 4 ? _mm256_loadu_pd(from)
                      : _mm256_maskload_pd(from, LOCAL(first)(count));
}

static inline void LOCAL(store)(double *to, __m256d v, ptrdiff_t count)
{
    if (count >= 4)
        _mm256_storeu_pd(to, v);
    else
        _mm256_maskstore_pd(to, LOCAL(first)(count), v);
}

static inline __m256d LOCAL(halves)(__m128d low, __m128d high)
{
    return _mm256_insertf128_pd(_mm256_castpd128_pd256(low), high, 1);
}

static inline __m256d LOCAL(spread_halves)(double low, double high)
{
    return LOCAL(halves)(_mm_set1_pd(low), _mm_set1_pd(high));
}

static inline __m256d LOCAL(load_halves)(
    const double *low, const double *high, ptrdiff_t count)
{
    const __m128i first = _mm256_castsi256_si128(LOCAL(first)(count));
    if (count == 2)
        return LOCAL(halves)(_mm_loadu_pd(low), _mm_loadu_pd(high));
    return LOCAL(halves)(_mm_maskload_pd(low, first), _mm_maskload_pd(high, first));
}

static inline void LOCAL(store_halves)(
    double *low, double *high, __m256d v, ptrdiff_t count)
{
    const __m128i first = _mm256_castsi256_si128(LOCAL(first)(count));
    if (count == 2) {
        _mm_storeu_pd(high, _mm256_extractf128_pd(v, 1));
        _mm_storeu_pd(low, _mm256_castpd256_pd128(v));
    }
    else {
        _mm_maskstore_pd(high, first, _mm256_extractf128_pd(v, 1));
        _mm_maskstore_pd(low, first, _mm256_castpd256_pd128(v));
    }
}

static inline double LOCAL(total)(__m256d v)
{
    __m128d sum = _mm_add_pd(_mm256_castpd256_pd128(v), _mm256_extractf128_pd(v, 1));
    return _mm_cvtsd_f64(_mm_add_sd(sum, _mm_unpackhi_pd(sum, sum)));
}

/* A pair fills an xmm; the even and the odd ones are set side by side. */
#define PAIR_AT(AT, t) _mm_loadu_pd((const double *)AT(t))
#define HALF(AT, t)                                                                 \
    _mm256_insertf128_pd(_mm256_castpd128_pd256(PAIR_AT(AT, t)),                    \
                         PAIR_AT(AT, (t) + 2), 1)
#define GATHER(u, s, AT)                                                            \
    do {                                                                            \
        const __m256d even = HALF(AT, 0), odd = HALF(AT, 1);                        \
        u = _mm256_unpacklo_pd(even, odd);                                          \
        s = _mm256_unpackhi_pd(even, odd);                                          \
    } while (0)

#define PUT_PAIR(v, part, AT, t)                                                    \
    _mm_storeu_pd((double *)AT(t), _mm256_extractf128_pd(v, part))
#define SCATTER(u, s, AT)                                                           \
    do {                                                                            \
        const __m256d even = _mm256_unpacklo_pd(u, s);                              \
        const __m256d odd = _mm256_unpackhi_pd(u, s);                               \
        PUT_PAIR(even, 0, AT, 0);                                                   \
        PUT_PAIR(odd, 0, AT, 1);                                                    \
        PUT_PAIR(even, 1, AT, 2);                                                   \
        PUT_PAIR(odd, 1, AT, 3);                                                    \
    } while (0)

#define REAL __m256d
#define SQRT _mm256_sqrt_pd
#define FABS(a) _mm256_andnot_pd(_mm256_set1_pd(-0.0), a)
/* The second operand is the result where one is not a number. */
#define POSITIVE(a) _mm256_max_pd(_mm256_setzero_pd(), a)
#define SIGNED(size, sign)                                                          \
    _mm256_or_pd(size, _mm256_and_pd(sign, _mm256_set1_pd(-0.0)))
