"""Numbers from text; how stands in ``native/number.h``."""

from libc.stdint cimport uint64_t


cdef extern from "native/number.h" nogil:
    # A table of every module that includes the file; `fill_powers` fills it.
    uint64_t sa_powers_of_five[651][2]
    int SA_MIN_POWER
    int SA_MAX_POWER
    const char* sa_number(const char* p, const char* end, double* value)


cdef inline fill_powers():
    """Powers of five to 128 bits, cut off.

    Where the divisor 5^-q still fits into 64 bits, its reciprocal is rounded up, so
    that an exact quotient is not missed by the last bit.
    """
    for q in range(SA_MIN_POWER, SA_MAX_POWER + 1):
        power = 5 ** abs(q)
        if q < 0:
            power = (1 << (power.bit_length() + 127)) // power + (q >= -27)
        shift = 128 - power.bit_length()
        power = power << shift if shift > 0 else power >> -shift
        sa_powers_of_five[q - SA_MIN_POWER][0] = power >> 64
        sa_powers_of_five[q - SA_MIN_POWER][1] = power & 0xFFFFFFFFFFFFFFFF
