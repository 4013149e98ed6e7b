"""One O(nnz) pass over a CSR matrix before anything reads memory through it.

SciPy does not check a matrix on construction, and its ``check_format`` misses an
``indptr`` that ends beyond the data. The kernels index raw memory with these arrays,
so every bound is checked here, and every value too, in the same pass.
"""

from libc.math cimport fabs, fabsf
from libc.stdint cimport int64_t, uint64_t
from libc.stdlib cimport calloc, free

from sparse_adagrad.kernels.scales cimport data_t, index_t, offset_t

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


# These two loops have no branches, so that the compiler makes vector code of them.
cdef inline bint row_is_sound(
    const data_t* data,
    const index_t* indices,
    Py_ssize_t row_nnz,
    int64_t n_features,
    double largest,
) noexcept nogil:
    """Whether all columns are in range and all values finite and small enough."""
    # A number with its sign bit set, once a column is below 0 or above the last.
    cdef index_t outside = 0
    cdef index_t last = <index_t> min(n_features - 1, largest_of(outside))
    cdef data_t limit = <data_t> largest
    cdef int too_large = 0
    cdef Py_ssize_t k
    for k in range(row_nnz):
        outside |= indices[k] | (last - indices[k])
    for k in range(row_nnz):
        # True for NaN and infinity too.
        too_large |= not (fabs_of(data[k]) <= limit)
    return outside >= 0 and not too_large


cdef inline index_t largest_of(index_t kind) noexcept nogil:
    if index_t is int:
        return 0x7FFFFFFF
    else:
        return 0x7FFFFFFFFFFFFFFF


cdef inline data_t fabs_of(data_t value) noexcept nogil:
    return <data_t> fabsf(value) if data_t is float else <data_t> fabs(value)


cdef inline bint row_is_sorted(
    const index_t* indices, Py_ssize_t row_nnz
) noexcept nogil:
    """Whether the columns, all in range, rise strictly."""
    cdef index_t falls = -1  # with the sign bit while every difference has it
    cdef Py_ssize_t k
    for k in range(1, row_nnz):
        falls &= indices[k - 1] - indices[k]
    return falls < 0


cdef Finding inspect(
    const data_t* data,
    const index_t* indices,
    const offset_t* indptr,
    Py_ssize_t n_rows,
    Py_ssize_t size,
    int64_t n_features,
    double largest,
) noexcept nogil:
    cdef Finding found = Finding(0, -1, -1, True)
    cdef Py_ssize_t i, k
    if indptr[0] != 0:
        found.code = 2
        return found
    # The offsets first, all of them: no entry is read before its place is known.
    for i in range(n_rows):
        found.row = i
        if indptr[i + 1] < indptr[i]:
            found.code = 3
            return found
        if indptr[i + 1] > size:
            found.code = 4
            return found
    for i in range(n_rows):
        found.row = i
        if row_is_sound(
            data + indptr[i], indices + indptr[i], indptr[i + 1] - indptr[i],
            n_features, largest,
        ):
            found.sorted &= row_is_sorted(
                indices + indptr[i], indptr[i + 1] - indptr[i]
            )
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
):
    """Inspect structure and values.

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
        found = inspect(
            data_start, indices_start, &indptr[0], indptr.shape[0] - 1, size,
            n_features, largest,
        )
    return found.code, found.row, found.position, found.sorted


def has_duplicates(
    const index_t[::1] indices, const offset_t[::1] indptr, int64_t n_features
):
    """Whether a column comes twice in a row of a matrix that `check_csr` has passed.

    A bit a column tells what the row has had. Memory that is never written is never
    given by the system, so this costs O(nnz) time too.
    """
    cdef uint64_t* seen = <uint64_t*> calloc(n_features // 64 + 1, sizeof(uint64_t))
    if seen == NULL:
        raise MemoryError("no memory to look for duplicate columns")
    cdef bint found = False
    cdef Py_ssize_t i, k
    cdef uint64_t bit
    with nogil:
        for i in range(indptr.shape[0] - 1):
            for k in range(indptr[i], indptr[i + 1]):
                bit = (<uint64_t> 1) << (indices[k] & 63)
                found |= (seen[indices[k] >> 6] & bit) != 0
                seen[indices[k] >> 6] |= bit
            if found:
                break
            for k in range(indptr[i], indptr[i + 1]):
                seen[indices[k] >> 6] = 0
    free(seen)
    return found
