"""Columns of a whole data set: measured and scaled before `fit` learns."""

import numpy as np

from libc.math cimport fabs
from libc.stdint cimport int64_t, uint64_t
from libc.string cimport memcpy

from sparse_adagrad.kernels.scales cimport data_t, index_t, offset_t
from sparse_adagrad.kernels.step cimport sa_prefetch

cdef enum:
    # Entries whose column is asked for: they come in any order, memory answers late.
    AHEAD = 24
    DIGIT_BITS = 11  # of a number's bits that a pass of the median looks at
    N_DIGITS = 1 << DIGIT_BITS


cdef packed struct Column:
    double largest
    int64_t count


# Largest |x| of a column, and its entries that are not 0; side by side in memory.
COLUMN_DTYPE = np.dtype([("largest", np.float64), ("count", np.int64)])


def observe_columns(
    const data_t[::1] data,
    const index_t[::1] indices,
    const offset_t[::1] indptr,
    const int64_t[::1] rows,
    Column[::1] columns,
):
    """Let the entries of rows (empty: all, in sequence) raise what columns hold."""
    cdef Py_ssize_t n_rows = rows.shape[0] if rows.shape[0] else indptr.shape[0] - 1
    cdef Py_ssize_t r, i, k
    cdef Column* column
    cdef double size
    with nogil:
        for r in range(n_rows):
            i = rows[r] if rows.shape[0] else r
            for k in range(indptr[i], indptr[i + 1]):
                if k + AHEAD < indptr[i + 1]:
                    sa_prefetch(&columns[indices[k + AHEAD]])
                column = &columns[indices[k]]
                size = fabs(data[k])
                column.count += size > 0.0
                if size > column.largest:
                    column.largest = size


cdef inline uint64_t bits_of(double value) noexcept nogil:
    """Numbers that are not negative are in the order of their bits."""
    cdef uint64_t bits
    memcpy(&bits, &value, sizeof(double))
    return bits


def median_largest(const Column[::1] columns):
    """Smallest `largest` that at least half of the entries do not exceed; 0 of none.

    Found digit by digit, from the highest: the entries whose leading bits are those of
    the median are counted by their next ones.
    """
    cdef int64_t counts[N_DIGITS]
    cdef int64_t total = 0
    cdef int64_t below = 0  # entries whose leading bits are lower
    cdef uint64_t leading = 0
    cdef uint64_t bits
    cdef double median
    cdef int shift = 64
    cdef int width, d
    cdef Py_ssize_t j
    with nogil:
        for j in range(columns.shape[0]):
            total += columns[j].count
        while shift > 0 and total > 0:
            width = min(DIGIT_BITS, shift)
            shift -= width
            for d in range(N_DIGITS):
                counts[d] = 0
            for j in range(columns.shape[0]):
                bits = bits_of(columns[j].largest) >> shift
                # The first pass has no leading bits; a shift by all 64 means nothing.
                if shift + width == 64 or bits >> width == leading:
                    counts[bits & ((1 << width) - 1)] += columns[j].count
            d = 0
            while 2 * (below + counts[d]) < total:
                below += counts[d]
                d += 1
            leading = (leading << width) | <uint64_t> d
    memcpy(&median, &leading, sizeof(double))
    return median


def scale_columns(
    const data_t[::1] data,
    const index_t[::1] indices,
    const double[::1] column_units,
    data_t[::1] out,
):
    """Write every entry in its column's unit to ``out``."""
    # Most units are 1. A bit a column says so, and these stay in the first cache.
    others_array = np.zeros(column_units.shape[0] // 64 + 1, np.uint64)
    cdef uint64_t[::1] others = others_array
    cdef Py_ssize_t j, k
    with nogil:
        for j in range(column_units.shape[0]):
            others[j >> 6] |= <uint64_t> (column_units[j] != 1.0) << (j & 63)
        for k in range(out.shape[0]):
            j = indices[k]
            if (others[j >> 6] >> (j & 63)) & 1:
                out[k] = <data_t> (data[k] / column_units[j])
            else:
                out[k] = data[k]
