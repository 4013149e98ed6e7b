/* Decimal text to the nearest double, as Python's float() gives it.
 *
 * (a) Up to 19 digits are gathered in an integer w, with a decimal exponent q.
 * (b) Where w < 2^53 and |q| <= 22, both are doubles, and one division or
 *     multiplication rounds once (W. Clinger, "How to read floating point numbers
 *     accurately", PLDI 1990).
 * (c) Else w is multiplied by a power of five kept to 128 bits (D. Lemire, "Number
 *     parsing at a gigabyte per second", Software: Practice and Experience, 2021,
 *     arXiv 2101.11408; proof that this suffices: N. Mushtak and D. Lemire, "Fast number
 *     parsing without fallback", 2023, arXiv 2212.06644).
 * (d) Subnormal and infinite results, and numbers whose digits beyond the 19th matter,
 *     are rare and go to Python's own conversion, which no locale changes.
 *
 * Text is read up to its first byte that is no part of a number, so a byte of another
 * kind must follow it: a line end, or the 0 that ends every `bytes` of Python.
 */
#ifndef SPARSE_ADAGRAD_NUMBER_H
#define SPARSE_ADAGRAD_NUMBER_H

#include <Python.h>
#include <math.h>
#include <stdint.h>
#include <string.h>
#if defined(_MSC_VER)
#include <intrin.h>
#endif

enum { SA_MIN_POWER = -342, SA_MAX_POWER = 308 };

/* 5^q for q from SA_MIN_POWER on, its first 128 bits: high and low half. */
static uint64_t sa_powers_of_five[SA_MAX_POWER - SA_MIN_POWER + 1][2];

static const double sa_powers_of_ten[] = {
    1e0,  1e1,  1e2,  1e3,  1e4,  1e5,  1e6,  1e7,  1e8,  1e9,  1e10, 1e11,
    1e12, 1e13, 1e14, 1e15, 1e16, 1e17, 1e18, 1e19, 1e20, 1e21, 1e22};

static inline uint64_t sa_multiply(uint64_t a, uint64_t b, uint64_t *high) {
#if defined(_MSC_VER) && defined(_M_X64)
    return _umul128(a, b, high);
#elif defined(__SIZEOF_INT128__)
    unsigned __int128 product = (unsigned __int128)a * b;
    *high = (uint64_t)(product >> 64);
    return (uint64_t)product;
#else
    /* In halves; the middle sum is below 2^64. */
    uint64_t a0 = (uint32_t)a, a1 = a >> 32, b0 = (uint32_t)b, b1 = b >> 32;
    uint64_t low = a0 * b0;
    uint64_t middle = a1 * b0 + (low >> 32);
    uint64_t other = a0 * b1 + (uint32_t)middle;
    *high = a1 * b1 + (middle >> 32) + (other >> 32);
    return (other << 32) | (uint32_t)low;
#endif
}

static inline int sa_leading_zeros(uint64_t x) {
#if defined(_MSC_VER)
    unsigned long highest;
    if (_BitScanReverse(&highest, (unsigned long)(x >> 32))) return 31 - (int)highest;
    _BitScanReverse(&highest, (unsigned long)x);
    return 63 - (int)highest;
#else
    return __builtin_clzll(x);
#endif
}

/* w 10^q for w > 0, step (c); -1 where the result is no normal number. */
static inline double sa_scale(uint64_t w, int64_t q) {
    if (q < SA_MIN_POWER || q > SA_MAX_POWER) return -1.0;
    const uint64_t *power = sa_powers_of_five[q - SA_MIN_POWER];
    int zeros = sa_leading_zeros(w);
    w <<= zeros;
    uint64_t high, second;
    uint64_t low = sa_multiply(w, power[0], &high);
    /* 55 bits decide; the power's low half matters only if the 9 below are all set. */
    if ((high & 0x1FF) == 0x1FF) {
        sa_multiply(w, power[1], &second);
        low += second;
        high += low < second;
    }
    int top = (int)(high >> 63);
    uint64_t mantissa = high >> (top + 9);
    /* floor(q log2(10)) + 63, then the exponent with its bias. */
    int64_t exponent = ((217706 * q) >> 16) + 63 + top - zeros + 1023;
    if (exponent <= 0) return -1.0;
    /* Exactly between two doubles: to the even one. */
    if (low <= 1 && q >= -4 && q <= 23 && (mantissa & 3) == 1 &&
        mantissa << (top + 9) == high)
        mantissa &= ~(uint64_t)1;
    mantissa = (mantissa + (mantissa & 1)) >> 1;
    if (mantissa >> 53) {
        mantissa >>= 1;
        exponent++;
    }
    if (exponent >= 0x7FF) return -1.0;
    uint64_t bits = (mantissa & 0xFFFFFFFFFFFFF) | (uint64_t)exponent << 52;
    double value;
    memcpy(&value, &bits, sizeof value);
    return value;
}

/* Step (d); NaN where there is no memory. Takes the GIL. */
static double sa_python_number(const char *text, const char *end) {
    size_t size = (size_t)(end - text);
    char *copy = (char *)malloc(size + 1);
    if (copy == NULL) return NAN;
    memcpy(copy, text, size);
    copy[size] = '\0';
    PyGILState_STATE state = PyGILState_Ensure();
    double value = PyOS_string_to_double(copy, NULL, NULL);
    if (PyErr_Occurred()) {
        PyErr_Clear();
        value = NAN;
    }
    PyGILState_Release(state);
    free(copy);
    return value;
}

static inline int sa_is_digit(char c) { return (unsigned)(c - '0') < 10; }

/* Eight digits at p to their number, if there are eight; `end` bounds the reading. */
static inline int sa_eight_digits(const char *p, const char *end, uint64_t *number) {
#if defined(__BYTE_ORDER__) && __BYTE_ORDER__ == __ORDER_BIG_ENDIAN__
    return 0;
#else
    uint64_t v;
    if (end - p < 8) return 0;
    memcpy(&v, p, 8);
    /* '0' to '9' are 0x30 to 0x39, and stay below 0x40 when 6 is added. */
    if ((v & 0xF0F0F0F0F0F0F0F0) != 0x3030303030303030 ||
        ((v + 0x0606060606060606) & 0xF0F0F0F0F0F0F0F0) != 0x3030303030303030)
        return 0;
    /* Pairs, fours, eight: each step joins neighbours. */
    v -= 0x3030303030303030;
    v = (v * 10 + (v >> 8)) & 0x00FF00FF00FF00FF;
    v = (v * 100 + (v >> 16)) & 0x0000FFFF0000FFFF;
    *number = (v * 10000 + (v >> 32)) & 0xFFFFFFFF;
    return 1;
#endif
}

/* Digits from p on are added to w; returns where they end. */
static inline const char *sa_digits(const char *p, const char *end, uint64_t *w) {
    uint64_t eight, sum = *w;
    while (sa_eight_digits(p, end, &eight)) {
        sum = sum * 100000000 + eight;
        p += 8;
    }
    for (; sa_is_digit(*p); p++) sum = sum * 10 + (uint64_t)(*p - '0');
    *w = sum;
    return p;
}

/* The first 19 significant digits again, where there are more; the rest shifts q. */
static void sa_first_digits(
    const char *p, const char *end, uint64_t *w, int64_t *q) {
    int taken = 0, fraction = 0;
    *w = 0;
    *q = 0;
    for (; p < end; p++) {
        if (*p == '.') {
            fraction = 1;
        } else if (taken < 19) {
            *w = *w * 10 + (uint64_t)(*p - '0');
            taken += *w != 0;
            *q -= fraction;
        } else {
            *q += !fraction;
        }
    }
}

/* The number at p, as [+-] digits [. digits] [e [+-] digits], into `value`.
 *
 * Returns where it ends, or p where there is none. An overflow is infinite.
 */
static const char *sa_number(const char *p, const char *end, double *value) {
    const char *start = p;
    int negative = *p == '-';
    p += negative || *p == '+';
    const char *digits = p;
    uint64_t w = 0;
    int64_t q = 0;
    p = sa_digits(p, end, &w);
    Py_ssize_t n_digits = p - digits;
    if (*p == '.') {
        const char *fraction = ++p;
        p = sa_digits(p, end, &w);
        q = fraction - p;
        n_digits += p - fraction;
    }
    if (n_digits == 0) return start;
    const char *digits_end = p;
    int64_t written = 0;
    if (*p == 'e' || *p == 'E') {
        const char *e = p + 1;
        int down = *e == '-';
        e += down || *e == '+';
        if (sa_is_digit(*e)) {
            for (; sa_is_digit(*e); e++)
                if (written < 100000000) written = written * 10 + (*e - '0');
            if (down) written = -written;
            p = e;
        }
    }
    int cut = n_digits > 19;
    if (cut) sa_first_digits(digits, digits_end, &w, &q);
    q += written;
    double found;
    if (w <= (uint64_t)1 << 53 && q >= -22 && q <= 22 && !cut)
        found = q < 0 ? (double)w / sa_powers_of_ten[-q] : (double)w * sa_powers_of_ten[q];
    else if (w == 0)
        found = 0.0;
    else {
        found = sa_scale(w, q);
        /* The digits beyond the 19th lie between w and w + 1. */
        if (found < 0 || (cut && sa_scale(w + 1, q) != found)) {
            *value = sa_python_number(start, p);
            return p;
        }
    }
    *value = negative ? -found : found;
    return p;
}

#endif
