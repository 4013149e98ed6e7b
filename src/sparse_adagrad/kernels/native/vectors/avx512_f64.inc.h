/* A register of 8 float64, AVX-512. See portable.inc.h for what is what. */

typedef __m512d LOCAL(vec);

static inline __m512d LOCAL(spread)(double value) { return _mm512_set1_pd(value); }

static inline __mmask8 LOCAL(first)(ptrdiff_t count)
{
    return (__mmask8)((1u << count) - 1u);
}

static inline __m512d LOCAL(load)(const double *from, ptrdiff_t count)
{
    return count >= 8 ? _mm512_loadu_pd(from)
                      : _mm512_maskz_loadu_pd(LOCAL(first)(count), from);
}

static inline void LOCAL(store)(double *to, __m512d v, ptrdiff_t count)
{
    if (count >= 8)
        _mm512_storeu_pd(to, v);
    else
        _mm512_mask_storeu_pd(to, LOCAL(first)(count), v);
}

static inline __m512d LOCAL(halves)(__m256d low, __m256d high)
{
    return _mm512_insertf64x4(_mm512_castpd256_pd512(low), high, 1);
}

static inline __m512d LOCAL(spread_halves)(double low, double high)
{
    return LOCAL(halves)(_mm256_set1_pd(low), _mm256_set1_pd(high));
}

static inline __m512d LOCAL(load_halves)(
    const double *low, const double *high, ptrdiff_t count)
{
    const __mmask8 first = LOCAL(first)(count);
    if (count == 4)
        return LOCAL(halves)(_mm256_loadu_pd(low), _mm256_loadu_pd(high));
    return LOCAL(halves)(_mm256_maskz_loadu_pd(first, low),
                         _mm256_maskz_loadu_pd(first, high));
}

static inline void LOCAL(store_halves)(
    double *low, double *high, __m512d v, ptrdiff_t count)
{
    const __mmask8 first = LOCAL(first)(count);
    if (count == 4) {
        _mm256_storeu_pd(high, _mm512_extractf64x4_pd(v, 1));
        _mm256_storeu_pd(low, _mm512_castpd512_pd256(v));
    }
    else {
        _mm256_mask_storeu_pd(high, first, _mm512_extractf64x4_pd(v, 1));
        _mm256_mask_storeu_pd(low, first, _mm512_castpd512_pd256(v));
    }
}

static inline double LOCAL(total)(__m512d v) { return _mm512_reduce_add_pd(v); }

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

#define REAL __m512d
#define SQRT _mm512_sqrt_pd
#define FABS _mm512_abs_pd
/* The second operand is the result where one is not a number. */
#define POSITIVE(a) _mm512_max_pd(_mm512_setzero_pd(), a)
#define SIGNED(size, sign)                                                          \
    _mm512_or_pd(size, _mm512_and_pd(sign, _mm512_set1_pd(-0.0)))
