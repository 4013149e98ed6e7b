"""One O(nnz) pass over a CSR matrix before anything reads memory through it.

SciPy does not check a matrix on construction, and its ``check_format`` misses an
``indptr`` that ends beyond the data. The kernels index raw memory with these arrays,
so every bound is checked here, and every value too, in the same pass.
"""

from libc.float cimport DBL_MAX
from libc.math cimport fabs
from libc.stdint cimport int64_t, uint8_t, uint16_t
from libc.stdlib cimport calloc, free
from libc.string cimport memcpy

from sparse_adagrad.kernels.check cimport inspect, rows_together
from sparse_adagrad.kernels.cpu cimport VARIANT, sa_inspection
from sparse_adagrad.kernels.entries cimport lies_far
from sparse_adagrad.kernels.scales cimport data_t, index_t, offset_t

cdef enum:
    NUMBERS = 1 << 15

# What is wrong; the messages are the validation layer's.
OK = 0
INDPTR_EMPTY = 1
INDPTR_START = 2
INDPTR_FALLS = 3
INDPTR_END = 4
INDEX_RANGE = 5
NOT_FINITE = 6
TOO_LARGE = 7


cdef struct Finding:
    int code
    Py_ssize_t row
    Py_ssize_t position


cdef Finding inspect_offsets(
    const offset_t* indptr, Py_ssize_t n_rows, Py_ssize_t size
) noexcept nogil:
    cdef Finding found = Finding(0, -1, -1)
    cdef Py_ssize_t i
    if indptr[0] != 0:
        found.code = 2
        return found
    for i in range(n_rows):
        found.row = i
        if indptr[i + 1] < indptr[i]:
            found.code = 3
            return found
        if indptr[i + 1] > size:
            found.code = 4
            return found
    return found


def check_offsets(const offset_t[::1] indptr, Py_ssize_t size):
    """Inspect the offsets, all of them: no entry is read before its place is known.

    Parameters
    ----------
    indptr : ndarray of shape (n_rows + 1,)
    size : int
        Entries there are.

    Returns
    -------
    code, row : int
        ``OK`` or what is wrong, and where.
    """
    if indptr.shape[0] == 0:
        return INDPTR_EMPTY, -1
    cdef Finding found
    with nogil:
        found = inspect_offsets(&indptr[0], indptr.shape[0] - 1, size)
    return found.code, found.row


cdef Finding find_fault(
    const data_t* data,
    const index_t* indices,
    const offset_t* indptr,
    Py_ssize_t first,
    Py_ssize_t last,
    int64_t n_features,
    double largest,
) noexcept nogil:
    """The first fault of rows that have one."""
    cdef Py_ssize_t i, k
    for i in range(first, last):
        for k in range(indptr[i], indptr[i + 1]):
            if indices[k] < 0 or indices[k] >= n_features:
                return Finding(5, i, k)
            if not (fabs(data[k]) <= largest):
                return Finding(6 if not (fabs(data[k]) <= DBL_MAX) else 7, i, k)
    return Finding(0, -1, -1)


cdef inline int64_t falls_between(
    const index_t* indices, const offset_t* indptr, Py_ssize_t first, Py_ssize_t last
) noexcept nogil:
    """Rows whose first column does not rise above the last of the rows before."""
    cdef int64_t n_falls = 0
    cdef Py_ssize_t i, k
    for i in range(first, last):
        k = indptr[i]
        if 0 < k < indptr[i + 1]:
            n_falls += indices[k] <= indices[k - 1]
    return n_falls


cdef Finding inspect_rows(
    const data_t* data,
    const index_t* indices,
    const offset_t* indptr,
    const double* weights,
    Py_ssize_t first,
    Py_ssize_t last,
    sa_inspection* found,
) noexcept nogil:
    """Inspect rows, many together where all weigh the same; add up their squares."""
    cdef Py_ssize_t start = first
    cdef Py_ssize_t end = first
    cdef double sq_sum = 0.0
    cdef bint sound = True
    while sound and end < last:
        start = end
        end = start + 1 if weights != NULL else rows_together(indptr, start, last)
        found.sq_sum = 0.0
        sound = inspect(VARIANT, data, indices, indptr[start], indptr[end], found)
        found.n_falls -= falls_between(indices, indptr, start, end)
        sq_sum += found.sq_sum if weights == NULL else weights[start] * found.sq_sum
    found.sq_sum = sq_sum
    if sound:
        return Finding(0, -1, -1)
    return find_fault(
        data, indices, indptr, start, end, found.n_features, found.largest
    )


def check_entries(
    const data_t[::1] data,
    const index_t[::1] indices,
    const offset_t[::1] indptr,
    const double[::1] weights,
    Py_ssize_t first,
    Py_ssize_t last,
    int64_t n_features,
    double largest,
    double floor,
    data_t[::1] column_max,
    const uint8_t[::1] marks,
):
    """Inspect and measure entries of a matrix whose offsets have been checked.

    Parameters
    ----------
    data, indices, indptr : the CSR arrays
    weights : ndarray of shape (n_rows,) or (0,), float64
        Of the rows, for their squares. Empty: all weigh 1.
    first, last : int
        Rows to look at.
    n_features : int
    largest : float
        What no value may exceed in size.
    floor : float
        Sizes above it raise their column's largest; others may be missed.
    column_max : ndarray of shape (n_features,) or (0,), dtype of ``data``
        Largest |x| of each column, where asked for; raised.
    marks : ndarray of shape (SA_MARKS / 8,) or (0,), uint8
        Of columns of which all sizes above the floor matter, see `columns.mark`. Of
        others, those up to twice the floor may be missed. Empty: all are such columns.

    Returns
    -------
    code, row, position : int
        ``OK`` or what is wrong, with the row and the place in ``data`` of it.
    sorted : bool
        Whether the columns of every row rise strictly, so that none comes twice.
    sq_sum : float
        Weighted sum of the rows' squares.
    """
    # No element is addressed where there is none.
    cdef const data_t* data_start = &data[0] if data.shape[0] else NULL
    cdef const index_t* indices_start = &indices[0] if indices.shape[0] else NULL
    cdef const double* weights_start = &weights[0] if weights.shape[0] else NULL
    cdef sa_inspection asked = sa_inspection(
        n_features, largest, largest, NULL, False, NULL, 0.0, 0
    )
    cdef Finding found
    if column_max.shape[0]:
        asked.floor = min(floor, largest)
        asked.column_max = &column_max[0]
        if marks.shape[0]:
            asked.marks = &marks[0]
        asked.is_far = lies_far(column_max.shape[0], sizeof(data_t))
    with nogil:
        found = inspect_rows(
            data_start, indices_start, &indptr[0], weights_start, first, last, &asked
        )
    return found.code, found.row, found.position, asked.n_falls == 0, asked.sq_sum


def has_duplicates(
    const index_t[::1] indices, const offset_t[::1] indptr, int64_t n_features
):
    """Whether a column comes twice in a row of a matrix that `check_csr` has passed.

    Every row leaves its number, modulo `NUMBERS`, at its columns. Memory that is never
    written is never given by the system, so this costs O(nnz) time too.
    """
    cdef uint16_t* last = <uint16_t*> calloc(n_features + 1, sizeof(uint16_t))
    cdef bint found = False
    cdef uint16_t number = 0
    cdef Py_ssize_t i, k
    with nogil:
        for i in range(indptr.shape[0] - 1):
            number += 1
            if number == NUMBERS:
                # Zeros anew, of which again only the written ones become memory.
                free(last)
                last = <uint16_t*> calloc(n_features + 1, sizeof(uint16_t))
                number = 1
            if last == NULL:
                break
            # No branch: the loop ends with the row.
            for k in range(indptr[i], indptr[i + 1]):
                found |= last[indices[k]] == number
                last[indices[k]] = number
            if found:
                break
    if last == NULL:
        raise MemoryError("no memory to look for duplicate columns")
    free(last)
    return found


def take_rows(
    const data_t[::1] data,
    const index_t[::1] indices,
    const offset_t[::1] indptr,
    const int64_t[::1] rows,
    data_t[::1] out_data,
    index_t[::1] out_indices,
):
    """Copy the entries of some rows, one after the other, to where there is room."""
    cdef Py_ssize_t r, k, row_nnz
    cdef Py_ssize_t end = 0
    with nogil:
        for r in range(rows.shape[0]):
            k = indptr[rows[r]]
            row_nnz = indptr[rows[r] + 1] - k
            if row_nnz:
                memcpy(&out_data[end], &data[k], row_nnz * sizeof(data_t))
                memcpy(&out_indices[end], &indices[k], row_nnz * sizeof(index_t))
            end += row_nnz


def take_runs(
    const int64_t[::1] rows, const int64_t[::1] starts, Py_ssize_t run, int64_t[::1] out
):
    """Copy runs of neighbours, as far as they lie within the rows, one after the other.

    Raises
    ------
    ValueError
        If ``out`` has other room than they need.
    """
    cdef Py_ssize_t n_rows = rows.shape[0]
    cdef Py_ssize_t s, start, stop, k
    cdef Py_ssize_t end = 0
    with nogil:
        for s in range(starts.shape[0]):
            start = max(starts[s], 0)
            stop = min(starts[s] + run, n_rows)
            if stop - start > out.shape[0] - end:
                end = -1
                break
            for k in range(start, stop):
                out[end] = rows[k]
                end += 1
    if end != out.shape[0]:
        raise ValueError("The runs do not cover the rows.")
