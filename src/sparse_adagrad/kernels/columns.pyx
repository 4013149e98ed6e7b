"""Columns of a whole data set: measured, scaled and laid out before `fit` learns."""

import numpy as np

from libc.stdint cimport int64_t, uint8_t

from sparse_adagrad.kernels.check cimport has_few
from sparse_adagrad.kernels.cpu cimport (
    SA_FEW,
    SA_MARKS,
    VARIANT,
    sa_bit_length,
    sa_mark,
    sa_prefetch,
    sa_prefetch_bytes,
)
from sparse_adagrad.kernels.entries cimport ROWS_AHEAD, lies_far
from sparse_adagrad.kernels.observe cimport measure_row
from sparse_adagrad.kernels.scales cimport data_t, index_t, offset_t

cdef enum:
    # The entry whose column is asked for, so many after this one: they come in any
    # order, memory answers late, and nothing else is done meanwhile.
    AHEAD = 256
    # Columns that are looked for by comparing, in vectors: more are by their marks.
    MOST_FEW = 4 * SA_FEW
    ROWS_TOGETHER = 16  # rows that are looked through at once, where few have any


ctypedef fused place_t:
    int
    int64_t


def mark(const index_t[::1] columns):
    """Marks of columns, which those a multiple of `SA_MARKS` apart share.

    Returns an ndarray of shape (SA_MARKS / 8,), uint8.
    """
    marks_array = np.zeros(SA_MARKS // 8, np.uint8)
    cdef uint8_t[::1] marks = marks_array
    cdef Py_ssize_t k
    with nogil:
        for k in range(columns.shape[0]):
            sa_mark(&marks[0], columns[k])
    return marks_array


def count_entries(const index_t[::1] indices, place_t[::1] counts):
    """Count entries by column."""
    cdef Py_ssize_t nnz = indices.shape[0]
    cdef bint is_far = lies_far(counts.shape[0], sizeof(place_t))
    cdef Py_ssize_t k
    with nogil:
        for k in range(nnz):
            if is_far and k + AHEAD < nnz:
                sa_prefetch(&counts[indices[k + AHEAD]])
            counts[indices[k]] += 1


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
    const index_t* few,
    Py_ssize_t n_few,
    const uint8_t* marks,
    int64_t* starts,
) noexcept nogil:
    """Write where copies of rows with a marked column start, -1 for others.

    Where `n_few` columns are marked, a multiple of `SA_FEW`, most rows are passed over
    many at a time; 0 of more. Returns the entries of the copies.
    """
    cdef Py_ssize_t n_copied = 0
    cdef Py_ssize_t nnz = indptr[n_rows]
    cdef Py_ssize_t first, last, i, j, k, row_nnz
    cdef bint found
    for first from 0 <= first < n_rows by ROWS_TOGETHER:
        last = min(first + ROWS_TOGETHER, n_rows)
        found = n_few == 0
        k = indptr[first]
        for j from 0 <= j < n_few by SA_FEW:
            found = found or has_few(
                VARIANT, indices + k, indptr[last] - k, nnz - k, few + j
            )
        for i in range(first, last):
            starts[i] = -1
            if not found:
                continue
            if i + ROWS_AHEAD < n_rows:
                j = indptr[i + ROWS_AHEAD]
                row_nnz = indptr[i + ROWS_AHEAD + 1] - j
                sa_prefetch_bytes(indices + j, row_nnz * sizeof(index_t))
            row_nnz = indptr[i + 1] - indptr[i]
            if has_marked(indices + indptr[i], row_nnz, marks):
                starts[i] = n_copied
                n_copied += row_nnz
    return n_copied


def scale_rows(
    const data_t[::1] data,
    const index_t[::1] indices,
    const offset_t[::1] indptr,
    const double[::1] weights,
    int64_t n_features,
    const int64_t[::1] columns,
    const double[::1] units,
    int64_t[::1] starts,
):
    """Copy the rows with an entry in a column that has a unit, in the units.

    Most columns have none, and often most rows are not copied.

    Parameters
    ----------
    data, indices, indptr : the CSR arrays
    weights : ndarray of shape (n_rows,) or (0,), float64
        Of the rows, for the sums of squares. Empty: all weigh 1.
    n_features : int
    columns : ndarray of shape (n_columns,), int64
        Those that have a unit.
    units : ndarray of shape (n_columns,), float64
        Of ``columns``, not 0.
    starts : ndarray of shape (n_rows,), int64
        Where each row starts in what is returned, -1 if it does not; written.

    Returns
    -------
    scaled : ndarray of shape (n_copied,), dtype of ``data``
    replaced, added : float
        Weighted sums of squares of the copied rows, as they were and in the units.
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
    cdef Py_ssize_t i, j, k, row_nnz
    cdef const index_t* first
    cdef index_t[MOST_FEW] few
    cdef Py_ssize_t n_few = 0
    cdef double unit, weight
    cdef double replaced = 0.0
    cdef double added = 0.0
    cdef data_t[::1] out
    if n_columns == 0:
        starts[:] = -1
        return np.empty(0, np.float32 if data_t is float else np.float64), 0.0, 0.0
    with nogil:
        if n_columns <= MOST_FEW:
            n_few = (n_columns + SA_FEW - 1) // SA_FEW * SA_FEW
        for j in range(n_few):
            few[j] = <index_t> columns[min(j, n_columns - 1)]
        for j in range(n_columns):
            marks[columns[j]] = 1
            unit_of[columns[j]] = units[j]
        n_copied = place_copies(
            indices_start, &indptr[0], n_rows, few, n_few, &marks[0], &starts[0]
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
            weight = weights[i] if weights.shape[0] else 1.0
            first = indices_start + indptr[i]
            row_nnz = indptr[i + 1] - indptr[i]
            replaced += weight * measure_row(
                VARIANT, &data[indptr[i]], first, row_nnz, NULL, NULL
            ).sq_sum
            added += weight * measure_row(
                VARIANT, <const data_t*> &out[starts[i]], first, row_nnz, NULL, NULL
            ).sq_sum
    return scaled, replaced, added


def by_frequency(const place_t[::1] counts, place_t[::1] place_of):
    """Order columns that have entries, the frequent ones first, within a factor of two.

    Columns whose counts have as many bits stay in order. Returns them, int64,
    (n_present,), and writes the place of each to ``place_of``, (n_features,).
    """
    cdef int64_t starts[65]
    cdef int64_t[::1] ordered
    cdef Py_ssize_t j
    cdef int length
    for length in range(65):
        starts[length] = 0
    with nogil:
        for j in range(counts.shape[0]):
            starts[sa_bit_length(counts[j])] += 1
    cdef int64_t n_present = counts.shape[0] - starts[0]
    out = np.empty(n_present + 1, np.int64)
    ordered = out
    # From numbers of columns to the place of the first; the longest come first.
    cdef int64_t place = 0
    for length in range(64, -1, -1):
        starts[length], place = place, place + starts[length]
    with nogil:
        for j in range(counts.shape[0]):
            length = sa_bit_length(counts[j])
            # No branch: columns without entries all go to the last place.
            ordered[starts[length]] = j
            place_of[j] = <place_t> starts[length]
            starts[length] += length > 0
    return out[:n_present]


def renumber(
    const index_t[::1] indices,
    const offset_t[::1] indptr,
    Py_ssize_t first,
    Py_ssize_t last,
    const place_t[::1] place_of,
    place_t n_hot,
    const place_t[::1] copies,
    place_t[::1] out,
):
    """Write the places of the columns of rows ``first`` to ``last`` to ``out``.

    A row finds the first ``n_hot`` places as far behind them as ``copies`` tells.
    """
    cdef Py_ssize_t nnz = indptr[last]
    cdef bint is_far = lies_far(place_of.shape[0], sizeof(place_t))
    cdef Py_ssize_t i, k
    cdef place_t copy
    with nogil:
        for i in range(first, last):
            copy = copies[i]
            for k in range(indptr[i], indptr[i + 1]):
                if is_far and k + AHEAD < nnz:
                    sa_prefetch(&place_of[indices[k + AHEAD]])
                out[k] = place_of[indices[k]]
            if copy != 0:
                # By itself, and without a branch, it is vector code.
                for k in range(indptr[i], indptr[i + 1]):
                    out[k] += copy & -<place_t> (out[k] < n_hot)
