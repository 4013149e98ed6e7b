"""Columns of a whole data set: measured, scaled and laid out before `fit` learns."""

import numpy as np

from libc.stdint cimport int64_t, uint8_t, uint64_t
from libc.string cimport memcpy

from sparse_adagrad.kernels.check cimport square_row
from sparse_adagrad.kernels.cpu cimport VARIANT, sa_prefetch
from sparse_adagrad.kernels.entries cimport ROWS_AHEAD, fetch_indices, raise_row
from sparse_adagrad.kernels.scales cimport bits_of, data_t, index_t, offset_t
from sparse_adagrad.kernels.step cimport state_t

cdef enum:
    # Entries whose column is asked for: they come in any order, memory answers late.
    AHEAD = 24
    # Columns that are looked for by comparing, several entries at a time.
    FEW = 4
    ROWS_TOGETHER = 16  # rows that are looked through at once, where few have any
    DIGIT_BITS = 11  # of a number's bits that a pass of the median looks at
    N_DIGITS = 1 << DIGIT_BITS


def count_entries(
    const data_t[::1] data,
    const index_t[::1] indices,
    const offset_t[::1] indptr,
    const int64_t[::1] rows,
    int64_t[::1] counts,
):
    """Count the entries that are not 0 by column, of rows (empty: all, in sequence)."""
    cdef Py_ssize_t n_rows = rows.shape[0] if rows.shape[0] else indptr.shape[0] - 1
    cdef Py_ssize_t r, i, k
    with nogil:
        for r in range(n_rows):
            i = rows[r] if rows.shape[0] else r
            for k in range(indptr[i], indptr[i + 1]):
                if k + AHEAD < indptr[i + 1]:
                    sa_prefetch(&counts[indices[k + AHEAD]])
                counts[indices[k]] += data[k] != 0


def raise_largest(
    const data_t[::1] data,
    const index_t[::1] indices,
    const offset_t[::1] indptr,
    const int64_t[::1] rows,
    state_t[::1] largest,
):
    """Let entries of rows (empty: all, in sequence) raise their column's largest |x|.

    ``largest`` has the shape (n_features,) and is updated.
    """
    cdef Py_ssize_t n_rows = rows.shape[0] if rows.shape[0] else indptr.shape[0] - 1
    cdef const data_t* data_start = &data[0] if data.shape[0] else NULL
    cdef const index_t* indices_start = &indices[0] if indices.shape[0] else NULL
    cdef state_t* largest_start = &largest[0] if largest.shape[0] else NULL
    cdef Py_ssize_t r, i, first
    with nogil:
        for r in range(n_rows):
            i = rows[r] if rows.shape[0] else r
            first = indptr[i]
            raise_row(
                data_start + first, indices_start + first, indptr[i + 1] - first,
                largest_start,
            )


def weighted_median(const double[::1] values, const int64_t[::1] counts):
    """Smallest value that at least half of the counts do not exceed; 0 of none.

    The values are not negative. Found digit by digit, from the highest: what has the
    median's leading bits is counted by its next ones.
    """
    cdef int64_t sums[N_DIGITS]
    cdef int64_t total = 0
    cdef int64_t below = 0  # counted with lower leading bits
    cdef uint64_t leading = 0
    cdef uint64_t bits
    cdef double median
    cdef int shift = 64
    cdef int width, d
    cdef Py_ssize_t j
    with nogil:
        for j in range(values.shape[0]):
            total += counts[j]
        while shift > 0 and total > 0:
            width = min(DIGIT_BITS, shift)
            shift -= width
            for d in range(N_DIGITS):
                sums[d] = 0
            for j in range(values.shape[0]):
                bits = bits_of(values[j]) >> shift
                # The first pass has no leading bits; a shift by all 64 means nothing.
                if shift + width == 64 or bits >> width == leading:
                    sums[bits & ((1 << width) - 1)] += counts[j]
            d = 0
            while 2 * (below + sums[d]) < total:
                below += sums[d]
                d += 1
            leading = (leading << width) | <uint64_t> d
    memcpy(&median, &leading, sizeof(double))
    return median


cdef inline bint has_few(
    const index_t* indices, Py_ssize_t count, const int64_t* columns
) noexcept nogil:
    """Whether one of `FEW` columns is among the entries'."""
    cdef index_t a = <index_t> columns[0]
    cdef index_t b = <index_t> columns[1]
    cdef index_t c = <index_t> columns[2]
    cdef index_t d = <index_t> columns[3]
    cdef index_t j
    cdef bint found = False
    cdef Py_ssize_t k
    for k in range(count):
        j = indices[k]
        found |= (j == a) | (j == b) | (j == c) | (j == d)
    return found


cdef inline bint has_marked(
    const index_t* indices, Py_ssize_t count, const uint8_t* marks
) noexcept nogil:
    cdef uint8_t found = 0
    cdef Py_ssize_t k
    for k in range(count):
        found |= marks[indices[k]]
    return found


cdef Py_ssize_t place_copies(
    const index_t* indices,
    const offset_t* indptr,
    Py_ssize_t n_rows,
    const int64_t* few,
    const uint8_t* marks,
    int64_t* starts,
) noexcept nogil:
    """Write where copies of rows with a marked column start, -1 for others.

    Where `few` columns are marked, most rows are passed over many at a time. Returns
    the entries of the copies.
    """
    cdef Py_ssize_t n_copied = 0
    cdef Py_ssize_t first, last, i, j, row_nnz
    cdef bint found
    for first from 0 <= first < n_rows by ROWS_TOGETHER:
        last = min(first + ROWS_TOGETHER, n_rows)
        found = few == NULL or has_few(
            indices + indptr[first], indptr[last] - indptr[first], few
        )
        for i in range(first, last):
            starts[i] = -1
            if not found:
                continue
            if i + ROWS_AHEAD < n_rows:
                j = indptr[i + ROWS_AHEAD]
                fetch_indices(indices + j, indptr[i + ROWS_AHEAD + 1] - j)
            row_nnz = indptr[i + 1] - indptr[i]
            if has_marked(indices + indptr[i], row_nnz, marks):
                starts[i] = n_copied
                n_copied += row_nnz
    return n_copied


def scale_rows(
    const data_t[::1] data,
    const index_t[::1] indices,
    const offset_t[::1] indptr,
    int64_t n_features,
    const int64_t[::1] columns,
    const double[::1] units,
    int64_t[::1] starts,
    double[::1] squares,
):
    """Copy the rows with an entry in a column that has a unit, in the units.

    Most columns have none, and often most rows are not copied.

    Parameters
    ----------
    data, indices, indptr : the CSR arrays
    n_features : int
    columns : ndarray of shape (n_columns,), int64
        Those that have a unit.
    units : ndarray of shape (n_columns,), float64
        Of ``columns``, not 0.
    starts : ndarray of shape (n_rows,), int64
        Where each row starts in what is returned, -1 if it does not; written.
    squares : ndarray of shape (n_rows,), float64
        Sums of squares; those of the copied rows are written.

    Returns
    -------
    scaled : ndarray of shape (n_copied,), dtype of ``data``
    """
    # A byte a column tells of a unit: these stay in the caches. Bits would be fewer,
    # but shifts by any number are slow.
    marks_array = np.zeros(n_features, np.uint8)
    unit_array = np.zeros(n_features)
    cdef uint8_t[::1] marks = marks_array
    cdef double[::1] unit_of = unit_array
    cdef const index_t* indices_start = &indices[0] if indices.shape[0] else NULL
    cdef Py_ssize_t n_rows = starts.shape[0]
    cdef Py_ssize_t n_columns = columns.shape[0]
    cdef Py_ssize_t n_copied = 0
    cdef Py_ssize_t i, j, k
    cdef int64_t[FEW] few
    cdef double unit
    cdef data_t[::1] out
    if n_columns == 0:
        starts[:] = -1
        return np.empty(0, np.float32 if data_t is float else np.float64)
    with nogil:
        for j in range(min(n_columns, FEW)):
            few[j] = columns[j]
        for j in range(n_columns, FEW):
            few[j] = columns[0]
        for j in range(n_columns):
            marks[columns[j]] = 1
            unit_of[columns[j]] = units[j]
        n_copied = place_copies(
            indices_start, &indptr[0], n_rows, few if n_columns <= FEW else NULL,
            &marks[0], &starts[0],
        )
    scaled = np.empty(n_copied, np.float32 if data_t is float else np.float64)
    out = scaled
    with nogil:
        for i in range(n_rows):
            if starts[i] < 0:
                continue
            j = starts[i] - indptr[i]
            for k in range(indptr[i], indptr[i + 1]):
                unit = unit_of[indices[k]]
                out[k + j] = <data_t> (data[k] / unit) if unit != 0.0 else data[k]
            squares[i] = square_row(
                VARIANT, &out[starts[i]], indptr[i + 1] - indptr[i]
            )
    return scaled


cdef inline int bit_length(int64_t count) noexcept nogil:
    cdef int length = 0
    while count > 0:
        count >>= 1
        length += 1
    return length


def by_frequency(const int64_t[::1] counts):
    """Columns that have entries, the frequent ones first, to within a factor of two.

    Columns whose counts have as many bits stay in order. Returns int64, (n_present,).
    """
    cdef int64_t starts[65]
    cdef int64_t[::1] ordered
    cdef Py_ssize_t j
    cdef int length
    for length in range(65):
        starts[length] = 0
    with nogil:
        for j in range(counts.shape[0]):
            starts[bit_length(counts[j])] += 1
    out = np.empty(counts.shape[0] - starts[0], np.int64)
    ordered = out
    # From numbers of columns to the place of the first; the longest come first.
    cdef int64_t place = 0
    for length in range(64, 0, -1):
        starts[length], place = place, place + starts[length]
    with nogil:
        for j in range(counts.shape[0]):
            length = bit_length(counts[j])
            if length > 0:
                ordered[starts[length]] = j
                starts[length] += 1
    return out


ctypedef fused place_t:
    int
    int64_t


def renumber(
    const index_t[::1] indices,
    const offset_t[::1] indptr,
    const int64_t[::1] rows,
    const place_t[::1] place_of,
    place_t n_hot,
    place_t copy,
    place_t[::1] out,
):
    """Write the places of some rows' columns (rows empty: all, in sequence) to ``out``.

    The first ``n_hot`` places are found in the copy of them that starts at ``copy``.
    """
    cdef Py_ssize_t n_rows = rows.shape[0] if rows.shape[0] else indptr.shape[0] - 1
    cdef Py_ssize_t r, i, k
    cdef place_t place
    with nogil:
        for r in range(n_rows):
            i = rows[r] if rows.shape[0] else r
            for k in range(indptr[i], indptr[i + 1]):
                if k + AHEAD < indptr[i + 1]:
                    sa_prefetch(&place_of[indices[k + AHEAD]])
                place = place_of[indices[k]]
                out[k] = place + (copy if place < n_hot else 0)
