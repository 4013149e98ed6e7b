/* MurmurHash3 (Austin Appleby), 32 bits, seed 0: what FeatureHasher uses. */
#ifndef SPARSE_ADAGRAD_HASH_H
#define SPARSE_ADAGRAD_HASH_H

#include <stddef.h>
#include <stdint.h>

/* Bytes behind its end that a text to be hashed lets be read. */
enum { SA_HASH_READS_ON = 16 };

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

static inline uint32_t sa_add_block(uint32_t h, uint32_t block)
{
    return sa_rotate(h ^ sa_mix(block), 13) * 5 + 0xe6546b64u;
}

/* Most words have less than 12 bytes, but nobody can foretell how many: these go without
 * a branch, two blocks of which those count that are there. */
static inline uint32_t sa_murmur3(const char *bytes, int64_t size)
{
    const unsigned char *s = (const unsigned char *)bytes;
    const int64_t left = size & ~(int64_t)3;
    uint32_t h = 0;
    if (size < 12) {
        const uint32_t one = sa_add_block(0, sa_four_bytes(s));
        h = size >= 4 ? one : 0;
        const uint32_t two = sa_add_block(one, sa_four_bytes(s + 4));
        h = size >= 8 ? two : h;
    }
    else
        for (int64_t i = 0; i < left; i += 4)
            h = sa_add_block(h, sa_four_bytes(s + i));
    /* Of what is left none to three bytes count; none change nothing. */
    h ^= sa_mix(sa_four_bytes(s + left) & ((1u << 8 * (size & 3)) - 1));
    h ^= (uint32_t)size;
    h = (h ^ h >> 16) * 0x85ebca6bu;
    h = (h ^ h >> 13) * 0xc2b2ae35u;
    return h ^ h >> 16;
}

#endif
