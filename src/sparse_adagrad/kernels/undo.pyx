"""Undo what a stream's rows have changed, from what was kept of each before."""

from libc.stdint cimport int64_t
from libc.string cimport memcpy

from sparse_adagrad.kernels.cpu cimport VARIANT
from sparse_adagrad.kernels.scales cimport index_t, offset_t
from sparse_adagrad.kernels.step cimport restore_row, state_t


def log_size(Py_ssize_t nnz, Py_ssize_t n_samples, Py_ssize_t n_outputs):
    """Numbers that are kept of the pairs of so many rows with so many entries."""
    return log_place(nnz, n_samples, n_outputs)


def restore(
    const index_t[::1] indices,
    const offset_t[::1] indptr,
    const int64_t[::1] rows,
    Py_ssize_t n_visited,
    const state_t[::1] log_pairs,
    const state_t[::1] log_max,
    state_t[:, :, ::1] pairs,
    state_t[::1] column_max,
):
    """Give the columns of rows their state before, the last row's first.

    Parameters
    ----------
    indices, indptr : CSR arrays
    rows : ndarray of shape (n_rows,) or (0,), int64
        In the order in which they were visited; empty: all, in sequence.
    n_visited : int
        How many of them were.
    log_pairs : ndarray of shape (log_size,)
    log_max : ndarray of shape (nnz,) or (0,)
        What `adagrad.train` has kept of them.
    pairs, column_max : ndarrays of shape (n_features, 2, n_outputs) and (n_features,)
        Or (0,), where columns are not scaled; updated.
    """
    cdef Py_ssize_t n_outputs = pairs.shape[2]
    cdef Py_ssize_t size = 2 * n_outputs
    cdef Py_ssize_t r, i, k, row_nnz
    cdef const index_t* row
    cdef const state_t* kept
    cdef state_t* pairs_start = &pairs[0, 0, 0] if pairs.shape[0] else NULL
    with nogil:
        for r in range(n_visited - 1, -1, -1):
            i = rows[r] if rows.shape[0] else r
            row_nnz = indptr[i + 1] - indptr[i]
            if row_nnz == 0:
                continue
            row = &indices[indptr[i]]
            kept = &log_pairs[log_place(indptr[i], i, n_outputs)]
            if n_outputs == 1:
                restore_row(VARIANT, pairs_start, row, row_nnz, kept)
            else:
                for k in range(row_nnz):
                    memcpy(
                        pairs_start + row[k] * size, kept + k * size,
                        size * sizeof(state_t),
                    )
            if column_max.shape[0]:
                for k in range(row_nnz):
                    column_max[row[k]] = log_max[indptr[i] + k]
