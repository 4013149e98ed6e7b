/* MurmurHash3 (Austin Appleby), 32 bits, seed 0: what FeatureHasher uses. */
#ifndef SPARSE_ADAGRAD_HASH_H
#define SPARSE_ADAGRAD_HASH_H

#include <stddef.h>
#include <stdint.h>

/* Bytes behind its end that a text to be hashed lets be read. */
enum { SA_HASH_READS_ON = 3 };

static inline uint32_t sa_rotate(uint32_t x, int by) { return x << by | x >> (32 - by); }

static inline uint32_t sa_mix(uint32_t k)
{
    return sa_rotate(k * 0xcc9e2d51u, 15) * 0x1b873593u;
}

/* Little-endian on every machine; compilers make one load of it. */
static inline uint32_t sa_four_bytes(const unsigned char *s)
{
    return s[0] | (uint32_t)s[1] << 8 | (uint32_t)s[2] << 16 | (uint32_t)s[3] << 24;
}

static inline uint32_t sa_murmur3(const char *bytes, ptrdiff_t size)
{
    const unsigned char *s = (const unsigned char *)bytes;
    uint32_t h = 0;
    ptrdiff_t i = 0;
    for (; i + 4 <= size; i += 4)
        h = sa_rotate(h ^ sa_mix(sa_four_bytes(s + i)), 13) * 5 + 0xe6546b64u;
    /* Of what is left none to three bytes count; none change nothing. No branch, since
     * lengths cannot be foretold. */
    h ^= sa_mix(sa_four_bytes(s + i) & ((1u << 8 * (size & 3)) - 1));
    h ^= (uint32_t)size;
    h = (h ^ h >> 16) * 0x85ebca6bu;
    h = (h ^ h >> 13) * 0xc2b2ae35u;
    return h ^ h >> 16;
}

#endif
