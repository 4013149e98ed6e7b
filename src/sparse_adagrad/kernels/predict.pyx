"""Predict rows, and read the weights.

The arrays are what `adagrad` takes, under the same contract, but for `multiply`, which
checks rows itself. A row's weights are read from its pairs; where there are more
entries than columns, all weights are read once and multiplied.
"""

from sparse_adagrad.kernels.check cimport in_range
from sparse_adagrad.kernels.cpu cimport VARIANT, sa_variant
from sparse_adagrad.kernels.entries cimport ROWS_AHEAD, fetch_entries
from sparse_adagrad.kernels.scales cimport (
    SCALING_NONE,
    Output,
    Scaling,
    Totals,
    column_unit,
    data_t,
    index_t,
    offset_t,
)
from sparse_adagrad.kernels.step cimport dot_row, read_weight, state_t

cdef enum:
    PART = 256  # entries of a row that are converted at a time


def predict_raw(
    const data_t[::1] data,
    const index_t[::1] indices,
    const offset_t[::1] indptr,
    const state_t[:, :, ::1] pairs,
    const state_t[::1] column_max,
    const Totals[::1] totals,
    const Output[::1] outputs,
    double[:, ::1] out,
):
    """Write the raw predictions to ``out``, float64, (n_samples, n_outputs).

    Reads the weights of the entries alone; where there are more entries than columns,
    `read_weights` and `multiply` do the same for less.
    """
    cdef Scaling scaling = <Scaling> <int> totals[0].column_scaling
    cdef double limit = totals[0].column_limit
    cdef Py_ssize_t n_outputs = outputs.shape[0]
    cdef Py_ssize_t i, k, o, j
    cdef double x
    with nogil:
        for i in range(out.shape[0]):
            for o in range(n_outputs):
                out[i, o] = outputs[o].base + outputs[o].intercept
            for k in range(indptr[i], indptr[i + 1]):
                j = indices[k]
                x = data[k]
                if scaling != SCALING_NONE:
                    x /= column_unit(scaling, column_max[j], limit)
                for o in range(n_outputs):
                    out[i, o] += x * read_weight(
                        pairs[j, 0, o], pairs[j, 1, o], outputs[o].eps, outputs[o].l1,
                        outputs[o].l2,
                    )


cdef inline double dot(
    const sa_variant* variant,
    const data_t* data,
    const index_t* indices,
    Py_ssize_t row_nnz,
    const state_t* coef,
) noexcept nogil:
    """A row times the coefficients, in their precision."""
    cdef state_t[PART] x
    cdef double product = 0.0
    cdef Py_ssize_t first, k, n
    if sizeof(data_t) == sizeof(state_t):
        return dot_row(
            variant, <const state_t*> <const void*> data, indices, row_nnz, coef
        )
    for first from 0 <= first < row_nnz by PART:
        n = min(<Py_ssize_t> PART, row_nnz - first)
        for k in range(n):
            x[k] = <state_t> data[first + k]
        product += dot_row(variant, x, indices + first, n, coef)
    return product


def multiply(
    const data_t[::1] data,
    const index_t[::1] indices,
    const offset_t[::1] indptr,
    const state_t[:, ::1] coef,
    const double[::1] intercept,
    double[:, ::1] out,
):
    """Write rows times coefficients plus intercepts to ``out``.

    Columns are checked while the row is at hand; of ``indptr`` alone the caller has
    seen that it leads to entries. Values that are not finite, or too large for
    ``coef``, make predictions that are not finite either.

    Parameters
    ----------
    data, indices, indptr : the CSR arrays
    coef : ndarray of shape (n_features, n_outputs), float32 or float64
        In the user's units.
    intercept : ndarray of shape (n_outputs,), float64
    out : ndarray of shape (n_rows, n_outputs), float64; written

    Returns
    -------
    n_done : int
        Rows that have been multiplied: all but where a column is out of range.
    """
    cdef Py_ssize_t n_outputs = coef.shape[1]
    cdef Py_ssize_t n_rows = out.shape[0]
    cdef Py_ssize_t i, k, o, first, row_nnz
    cdef double x
    cdef const data_t* data_start = &data[0] if data.shape[0] else NULL
    cdef const index_t* indices_start = &indices[0] if indices.shape[0] else NULL
    cdef const state_t* coef_start = &coef[0, 0] if coef.shape[0] else NULL
    with nogil:
        for i in range(n_rows):
            if i + ROWS_AHEAD < n_rows:
                first = indptr[i + ROWS_AHEAD]
                fetch_entries(
                    data_start + first, indices_start + first,
                    indptr[i + ROWS_AHEAD + 1] - first,
                )
            first = indptr[i]
            row_nnz = indptr[i + 1] - first
            if not in_range(
                VARIANT, indices_start + first, row_nnz, coef.shape[0]
            ):
                n_rows = i
                break
            for o in range(n_outputs):
                out[i, o] = intercept[o]
            if n_outputs == 1:
                out[i, 0] += dot(
                    VARIANT, data_start + first, indices_start + first, row_nnz,
                    coef_start,
                )
            else:
                for k in range(first, first + row_nnz):
                    for o in range(n_outputs):
                        x = <state_t> data[k]
                        out[i, o] += x * coef[indices[k], o]
    return n_rows


cdef void read_output(
    const state_t[:, :, ::1] pairs,
    Py_ssize_t o,
    const Output* output,
    state_t[:, ::1] out,
) noexcept nogil:
    """Write one output's weights, in the columns' units."""
    cdef Py_ssize_t n_outputs = out.shape[1]
    cdef const state_t* pair = &pairs[0, 0, o] if out.shape[0] else NULL
    cdef state_t* weight = &out[0, o] if out.shape[0] else NULL
    cdef state_t eps = <state_t> output.eps
    cdef state_t l1 = <state_t> output.l1
    cdef state_t l2 = <state_t> output.l2
    cdef Py_ssize_t j
    if n_outputs == 1:
        # Side by side, so that the compiler makes vector code of it.
        for j in range(out.shape[0]):
            weight[j] = read_weight(pair[2 * j], pair[2 * j + 1], eps, l1, l2)
        return
    for j in range(out.shape[0]):
        weight[j * n_outputs] = read_weight(
            pair[2 * j * n_outputs], pair[(2 * j + 1) * n_outputs], eps, l1, l2
        )


def read_weights(
    const state_t[:, :, ::1] pairs,
    const state_t[::1] column_max,
    const Totals[::1] totals,
    const Output[::1] outputs,
    state_t[:, ::1] out,
):
    """Write the weights in the user's units to ``out``, (n_features, n_outputs)."""
    cdef Scaling scaling = <Scaling> <int> totals[0].column_scaling
    cdef double limit = totals[0].column_limit
    cdef double unit
    cdef Py_ssize_t j, o
    with nogil:
        for o in range(outputs.shape[0]):
            read_output(pairs, o, &outputs[o], out)
        for j in range(out.shape[0] if scaling != SCALING_NONE else 0):
            unit = column_unit(scaling, column_max[j], limit)
            # Most are 1, and a branch that is foretold costs less than a division.
            if unit != 1.0:
                for o in range(outputs.shape[0]):
                    out[j, o] = <state_t> (out[j, o] / unit)
