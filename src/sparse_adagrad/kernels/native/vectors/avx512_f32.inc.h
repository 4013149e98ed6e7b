/* A register of 16 float32, AVX-512. See portable.inc.h for what is what. */

typedef __m512 LOCAL(vec);

static inline __m512 LOCAL(spread)(float value) { return _mm512_set1_ps(value); }

static inline __mmask16 LOCAL(first)(ptrdiff_t count)
{
    return (__mmask16)((1u << count) - 1u);
}

static inline __m512 LOCAL(load)(const float *from, ptrdiff_t count)
{
    return count >= 16 ? _mm512_loadu_ps(from)
                       : _mm512_maskz_loadu_ps(LOCAL(first)(count), from);
}

static inline void LOCAL(store)(float *to, __m512 v, ptrdiff_t count)
{
    if (count >= 16)
        _mm512_storeu_ps(to, v);
    else
        _mm512_mask_storeu_ps(to, LOCAL(first)(count), v);
}

static inline __m512 LOCAL(halves)(__m256 low, __m256 high)
{
    return _mm512_insertf32x8(_mm512_castps256_ps512(low), high, 1);
}

static inline __m512 LOCAL(spread_halves)(float low, float high)
{
    return LOCAL(halves)(_mm256_set1_ps(low), _mm256_set1_ps(high));
}

static inline __m512 LOCAL(load_halves)(
    const float *low, const float *high, ptrdiff_t count)
{
    const __mmask8 first = (__mmask8)LOCAL(first)(count);
    if (count == 8)
        return LOCAL(halves)(_mm256_loadu_ps(low), _mm256_loadu_ps(high));
    return LOCAL(halves)(_mm256_maskz_loadu_ps(first, low),
                         _mm256_maskz_loadu_ps(first, high));
}

static inline void LOCAL(store_halves)(
    float *low, float *high, __m512 v, ptrdiff_t count)
{
    const __mmask8 first = (__mmask8)LOCAL(first)(count);
    if (count == 8) {
        _mm256_storeu_ps(high, _mm512_extractf32x8_ps(v, 1));
        _mm256_storeu_ps(low, _mm512_castps512_ps256(v));
    }
    else {
        _mm256_mask_storeu_ps(high, first, _mm512_extractf32x8_ps(v, 1));
        _mm256_mask_storeu_ps(low, first, _mm512_castps512_ps256(v));
    }
}

static inline float LOCAL(total)(__m512 v) { return _mm512_reduce_add_ps(v); }

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

#define REAL __m512
#define SQRT _mm512_sqrt_ps
#define FABS _mm512_abs_ps
/* The second operand is the result where one is not a number. */
#define POSITIVE(a) _mm512_max_ps(_mm512_setzero_ps(), a)
#define SIGNED(size, sign)                                                          \
    _mm512_or_ps(size, _mm512_and_ps(sign, _mm512_set1_ps(-0.0f)))
