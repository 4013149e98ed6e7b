/* Hashes of many runs of bytes: one after the other or, where the CPU has AVX2, eight at
 * a time. The portable variant defines what is right and always exists.
 */
#ifndef SPARSE_ADAGRAD_HASH_MANY_H
#define SPARSE_ADAGRAD_HASH_MANY_H

#include <stdint.h>

#include "hash.h"

#if defined(__x86_64__) && defined(__GNUC__)
#define SA_HASH_AVX2 1
#include <immintrin.h>
#endif

/* Both starts and ends rise. */
typedef void (*sa_hash_many)(const char *text, const int64_t *starts,
                             const int64_t *ends, int64_t n, uint32_t *out);

static void sa_hash_many_portable(const char *text, const int64_t *starts,
                                  const int64_t *ends, int64_t n, uint32_t *out)
{
    for (int64_t t = 0; t < n; t++)
        out[t] = sa_murmur3(text + starts[t], ends[t] - starts[t]);
}

#ifdef SA_HASH_AVX2

#define SA_AVX2 __attribute__((target("avx2"))) static inline

enum { SA_EIGHT = 8, SA_LONGEST_OF_EIGHT = 15 };

SA_AVX2 __m256i sa_rotate_u32x8(__m256i x, int by)
{
    return _mm256_or_si256(_mm256_slli_epi32(x, by), _mm256_srli_epi32(x, 32 - by));
}

SA_AVX2 __m256i sa_mix_u32x8(__m256i k)
{
    k = _mm256_mullo_epi32(k, _mm256_set1_epi32((int)0xcc9e2d51u));
    return _mm256_mullo_epi32(sa_rotate_u32x8(k, 15), _mm256_set1_epi32(0x1b873593));
}

/* Add a block where a size is above `above`. */
SA_AVX2 __m256i sa_add_block_u32x8(__m256i h, __m256i block, __m256i sizes, int above)
{
    __m256i added = sa_rotate_u32x8(_mm256_xor_si256(h, sa_mix_u32x8(block)), 13);
    added = _mm256_add_epi32(added, _mm256_slli_epi32(added, 2));
    added = _mm256_add_epi32(added, _mm256_set1_epi32((int)0xe6546b64u));
    return _mm256_blendv_epi8(h, added,
                              _mm256_cmpgt_epi32(sizes, _mm256_set1_epi32(above)));
}

SA_AVX2 __m256i sa_finish_u32x8(__m256i h)
{
    h = _mm256_xor_si256(h, _mm256_srli_epi32(h, 16));
    h = _mm256_mullo_epi32(h, _mm256_set1_epi32((int)0x85ebca6bu));
    h = _mm256_xor_si256(h, _mm256_srli_epi32(h, 13));
    h = _mm256_mullo_epi32(h, _mm256_set1_epi32((int)0xc2b2ae35u));
    return _mm256_xor_si256(h, _mm256_srli_epi32(h, 16));
}

SA_AVX2 __m256i sa_two_runs(const char *low, const char *high)
{
    return _mm256_inserti128_si256(
        _mm256_castsi128_si256(_mm_loadu_si128((const __m128i *)low)),
        _mm_loadu_si128((const __m128i *)high), 1);
}

/* Hashes of eight runs of up to 15 bytes, in the order 0 1 4 5 2 3 6 7, as their sizes
 * are. */
SA_AVX2 __m256i sa_hash_eight(const char *text, const int64_t *starts, __m256i sizes)
{
    const __m256i a = sa_two_runs(text + starts[0], text + starts[2]);
    const __m256i b = sa_two_runs(text + starts[1], text + starts[3]);
    const __m256i c = sa_two_runs(text + starts[4], text + starts[6]);
    const __m256i d = sa_two_runs(text + starts[5], text + starts[7]);
    const __m256i ab = _mm256_unpacklo_epi32(a, b), cd = _mm256_unpacklo_epi32(c, d);
    const __m256i ab_2 = _mm256_unpackhi_epi32(a, b), cd_2 = _mm256_unpackhi_epi32(c, d);
    const __m256i blocks[4] = {
        _mm256_unpacklo_epi64(ab, cd), _mm256_unpackhi_epi64(ab, cd),
        _mm256_unpacklo_epi64(ab_2, cd_2), _mm256_unpackhi_epi64(ab_2, cd_2)};
    __m256i h = _mm256_setzero_si256(), last = blocks[0];
    for (int k = 0; k < 3; k++) {
        h = sa_add_block_u32x8(h, blocks[k], sizes, 4 * k + 3);
        last = _mm256_blendv_epi8(
            last, blocks[k + 1],
            _mm256_cmpgt_epi32(sizes, _mm256_set1_epi32(4 * k + 3)));
    }
    /* Of the last block none to three bytes count. */
    const __m256i one = _mm256_set1_epi32(1);
    const __m256i bits =
        _mm256_slli_epi32(_mm256_and_si256(sizes, _mm256_set1_epi32(3)), 3);
    last = _mm256_and_si256(last, _mm256_sub_epi32(_mm256_sllv_epi32(one, bits), one));
    h = _mm256_xor_si256(_mm256_xor_si256(h, sa_mix_u32x8(last)), sizes);
    return sa_finish_u32x8(h);
}

__attribute__((target("avx2"))) static void
sa_hash_many_avx2(const char *text, const int64_t *starts, const int64_t *ends, int64_t n,
                  uint32_t *out)
{
    int64_t t = 0;
    /* Sizes must fit in 32 bits. */
    const int64_t stop = n && ends[n - 1] - starts[0] > INT32_MAX ? 0 : n - SA_EIGHT + 1;
    for (; t < stop; t += SA_EIGHT) {
        const __m256i *from = (const __m256i *)(starts + t);
        const __m256i *to = (const __m256i *)(ends + t);
        const __m256i low =
            _mm256_sub_epi64(_mm256_loadu_si256(to), _mm256_loadu_si256(from));
        const __m256i high =
            _mm256_sub_epi64(_mm256_loadu_si256(to + 1), _mm256_loadu_si256(from + 1));
        const __m256i sizes = _mm256_castps_si256(_mm256_shuffle_ps(
            _mm256_castsi256_ps(low), _mm256_castsi256_ps(high), 0x88));
        const __m256i hashes = sa_hash_eight(text, starts + t, sizes);
        _mm256_storeu_si256((__m256i *)(out + t),
                            _mm256_permute4x64_epi64(hashes, _MM_SHUFFLE(3, 1, 2, 0)));
        const __m256i is_long =
            _mm256_cmpgt_epi32(sizes, _mm256_set1_epi32(SA_LONGEST_OF_EIGHT));
        if (_mm256_testz_si256(is_long, is_long))
            continue;
        for (int64_t k = t; k < t + SA_EIGHT; k++)
            if (ends[k] - starts[k] > SA_LONGEST_OF_EIGHT)
                out[k] = sa_murmur3(text + starts[k], ends[k] - starts[k]);
    }
    sa_hash_many_portable(text, starts + t, ends + t, n - t, out + t);
}

#endif

/* The portable variant, or that of AVX2; NULL where the CPU does not run it. */
static sa_hash_many sa_hash_variant(int avx2)
{
    if (!avx2)
        return sa_hash_many_portable;
#ifdef SA_HASH_AVX2
    __builtin_cpu_init();
    if (__builtin_cpu_supports("avx2"))
        return sa_hash_many_avx2;
#endif
    return NULL;
}

#endif
