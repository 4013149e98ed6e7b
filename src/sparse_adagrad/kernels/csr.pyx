"""One O(nnz) pass over a CSR matrix before anything reads memory through it.

SciPy does not check a matrix on construction, and its ``check_format`` misses an
``indptr`` that ends beyond the data. The kernels index raw memory with these arrays,
so every bound is checked here, and every value too, in the same pass.
"""

from libc.math cimport fabs
from libc.stdint cimport int64_t, uint16_t
from libc.stdlib cimport calloc, free

from sparse_adagrad.kernels.check cimport check_row, square_row
from sparse_adagrad.kernels.cpu cimport SA_SORTED, SA_SOUND, VARIANT
from sparse_adagrad.kernels.entries cimport ROWS_AHEAD, fetch_entries, raise_row
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
    bint sorted


cdef Finding inspect_offsets(
    const offset_t* indptr, Py_ssize_t n_rows, Py_ssize_t size
) noexcept nogil:
    cdef Finding found = Finding(0, -1, -1, True)
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


cdef Finding inspect_entries(
    const data_t* data,
    const index_t* indices,
    const offset_t* indptr,
    Py_ssize_t n_rows,
    int64_t n_features,
    double largest,
    double* squares,
    data_t* column_max,
) noexcept nogil:
    cdef Finding found = Finding(0, -1, -1, True)
    cdef int row
    cdef Py_ssize_t i, k, row_nnz
    for i in range(n_rows):
        if i + ROWS_AHEAD < n_rows:
            k = indptr[i + ROWS_AHEAD]
            fetch_entries(data + k, indices + k, indptr[i + ROWS_AHEAD + 1] - k)
        found.row = i
        row_nnz = indptr[i + 1] - indptr[i]
        row = check_row(
            VARIANT, data + indptr[i], indices + indptr[i], row_nnz, n_features, largest
        )
        if row & SA_SOUND:
            found.sorted &= (row & SA_SORTED) != 0
            # While the row is at hand.
            if squares != NULL:
                squares[i] = square_row(VARIANT, data + indptr[i], row_nnz)
            if column_max != NULL:
                raise_row(data + indptr[i], indices + indptr[i], row_nnz, column_max)
            continue
        for k in range(indptr[i], indptr[i + 1]):
            found.position = k
            if indices[k] < 0 or indices[k] >= n_features:
                found.code = 5
                return found
            if not (fabs(data[k]) <= largest):
                found.code = 6 if not (fabs(data[k]) <= 1.7976931348623157e308) else 7
                return found
    return found


def check_csr(
    const data_t[::1] data,
    const index_t[::1] indices,
    const offset_t[::1] indptr,
    int64_t n_features,
    double largest,
    double[::1] squares,
    data_t[::1] column_max,
):
    """Inspect structure and values.

    Parameters
    ----------
    data, indices, indptr : the CSR arrays
    n_features : int
    largest : float
        What no value may exceed.
    squares : ndarray of shape (n_samples,) or (0,), float64
        Sums of each row's squares, where there is room for them; written.
    column_max : ndarray of shape (n_features,) or (0,), dtype of ``data``
        Largest |x| of each column, where there is room; raised.

    Returns
    -------
    code, row, position : int
        ``OK`` or what is wrong, with the row and the place in ``data`` of it.
    sorted : bool
        Whether the columns of every row rise strictly, so that none comes twice.
    """
    if indptr.shape[0] == 0:
        return INDPTR_EMPTY, -1, -1, False
    cdef Py_ssize_t size = min(data.shape[0], indices.shape[0])
    # No element is addressed where there is none.
    cdef const data_t* data_start = &data[0] if size else NULL
    cdef const index_t* indices_start = &indices[0] if size else NULL
    cdef Finding found
    with nogil:
        # The offsets first, all of them: no entry is read before its place is known.
        found = inspect_offsets(&indptr[0], indptr.shape[0] - 1, size)
        if found.code == 0:
            found = inspect_entries(
                data_start, indices_start, &indptr[0], indptr.shape[0] - 1, n_features,
                largest, &squares[0] if squares.shape[0] else NULL,
                &column_max[0] if column_max.shape[0] else NULL,
            )
    return found.code, found.row, found.position, found.sorted


def check_offsets(const offset_t[::1] indptr, Py_ssize_t size):
    """Inspect the offsets alone; see `check_csr`.

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
