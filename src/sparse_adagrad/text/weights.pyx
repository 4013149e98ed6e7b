"""Counts to values: sublinear, inverse document frequency, norm."""

from cython cimport floating
from libc.math cimport copysign, fabs, log, sqrt
from libc.stdint cimport int32_t, int64_t
from libc.stdlib cimport calloc, free


cdef extern from "native/document.h" nogil:
    void sa_prefetch(const void* at)


# Logarithms take most of the time where each is computed anew: those of small counts
# stand in a table, and those of frequencies that came by lately in a cache. Columns are
# many more than frequencies, most of which are small.
cdef enum:
    N_DAMPED = 256
    N_CACHED = 4096
    N_AHEAD = 16

cdef double[N_DAMPED] damped
for each in range(1, N_DAMPED):
    damped[each] = 1 + log(<double> each)

ctypedef struct CachedIdf:
    int64_t df_1  # the frequency and 1, so that zeros are empty
    double idf


def damp(floating[::1] data, *, bint binary, bint sublinear_tf):
    """Turn signed counts into values, in place.

    Parameters
    ----------
    data : ndarray of shape (nnz,), float32 or float64
    binary : bool
        To 1, whatever they are.
    sublinear_tf : bool
        c to 1 + log(c), and -c to its opposite.
    """
    cdef int64_t k
    cdef double count, size
    with nogil:
        if binary:
            for k in range(data.shape[0]):
                data[k] = 1
        if sublinear_tf:
            for k in range(data.shape[0]):
                count = fabs(data[k])
                if count > 0:
                    size = (
                        damped[<int> count] if count < N_DAMPED else 1 + log(count)
                    )
                    # No branch: signs of hashes cannot be foretold.
                    data[k] = <floating> copysign(size, data[k])


cdef void weigh(
    floating* row,
    const int32_t* columns,
    int64_t n,
    const int64_t[::1] document_frequency,
    double n_documents,
    bint smooth,
    CachedIdf* cache,
) noexcept nogil:
    cdef int64_t k, df
    cdef CachedIdf* cached
    for k in range(n):
        # Frequencies lie all over the memory.
        if k + N_AHEAD < n:
            sa_prefetch(&document_frequency[columns[k + N_AHEAD]])
        df = document_frequency[columns[k]]
        cached = &cache[df & (N_CACHED - 1)]
        if cached.df_1 != df + 1:
            cached.df_1 = df + 1
            if smooth:
                cached.idf = log((n_documents + 1) / (df + 1)) + 1
            else:
                # A column that was never seen is taken for seen once.
                cached.idf = log(n_documents / (df if df > 0 else 1)) + 1
        row[k] *= <floating> cached.idf


cdef void normalise(floating* row, int64_t n, int norm) noexcept nogil:
    """As scikit-learn does, to the last bit: a product is rounded to `floating`, sums
    are not, and a row of zeros stays."""
    cdef double total = 0
    cdef int64_t k
    cdef floating square
    for k in range(n):
        if norm == 1:
            total += fabs(row[k])
        else:
            square = row[k] * row[k]
            total += square
    if total == 0:
        return
    if norm == 2:
        total = sqrt(total)
    for k in range(n):
        row[k] = <floating> (row[k] / total)


def weigh_rows(
    floating[::1] data,
    const int32_t[::1] indices,
    const int64_t[::1] ends,
    const int64_t[::1] document_frequency,
    *,
    bint smooth_idf,
    int64_t n_documents,
    int norm,
):
    """Weigh values by how rare their columns are, and rows by their norm, in place.

    Parameters
    ----------
    data : ndarray of shape (nnz,), float32 or float64
    indices : ndarray of shape (nnz,), int32
        In range: they are not checked.
    ends : ndarray of shape (n_rows,), int64
    document_frequency : ndarray of shape (n_features,) or (0,), int64
        Empty where columns are not weighed.
    smooth_idf : bool
    n_documents : int
    norm : {0, 1, 2}
        0 for none.
    """
    cdef int64_t start = 0
    cdef int64_t i, n
    cdef floating* row
    cdef CachedIdf* cache = NULL
    if document_frequency.shape[0]:
        cache = <CachedIdf*> calloc(N_CACHED, sizeof(CachedIdf))
        if cache == NULL:
            raise MemoryError("no memory to weigh rows")
    with nogil:
        for i in range(ends.shape[0]):
            n = ends[i] - start
            if n == 0:
                continue
            row = &data[start]
            if document_frequency.shape[0]:
                weigh(
                    row,
                    &indices[start],
                    n,
                    document_frequency,
                    n_documents,
                    smooth_idf,
                    cache,
                )
            if norm:
                normalise(row, n, norm)
            start = ends[i]
    free(cache)
