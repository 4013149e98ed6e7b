"""Undo what a stream's rows have changed, from what was kept of each before."""

from libc.stdint cimport int64_t

from sparse_adagrad.kernels.scales cimport index_t, offset_t
from sparse_adagrad.kernels.step cimport state_t


def restore(
    const index_t[::1] indices,
    const offset_t[::1] indptr,
    const int64_t[::1] rows,
    Py_ssize_t n_visited,
    const state_t[:, :, ::1] log_pairs,
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
    log_pairs, log_max : ndarrays of shape (nnz, 2, n_outputs) and (nnz,) or (0,)
        The state of every entry's column, before its row was visited.
    pairs, column_max : ndarrays of shape (n_features, 2, n_outputs) and (n_features,)
        Or (0,), where columns are not scaled; updated.
    """
    cdef Py_ssize_t r, i, k, t, o
    with nogil:
        for r in range(n_visited - 1, -1, -1):
            i = rows[r] if rows.shape[0] else r
            for k in range(indptr[i], indptr[i + 1]):
                for t in range(2):
                    for o in range(pairs.shape[2]):
                        pairs[indices[k], t, o] = log_pairs[k, t, o]
                if column_max.shape[0]:
                    column_max[indices[k]] = log_max[k]
