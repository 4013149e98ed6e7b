"""The formula and the row of it, from C, under names that take either type.

The formula itself stands in ``native/formula.inc.h``, in one place for the loops that
the compiler turns into vector code and for those here that go feature by feature.
"""

from libc.stdint cimport int64_t

from sparse_adagrad.kernels.cpu cimport sa_pair_f32, sa_pair_f64, sa_variant
from sparse_adagrad.kernels.scales cimport index_t


ctypedef fused state_t:
    float
    double


cdef extern from "native/formula.h" nogil:
    float sa_read_weight_f32(sa_pair_f32 p, float eps, float l1, float l2)
    double sa_read_weight_f64(sa_pair_f64 p, double eps, double l1, double l2)
    sa_pair_f32 sa_dual_step_f32(sa_pair_f32 p, float w, float g, float eta)
    sa_pair_f64 sa_dual_step_f64(sa_pair_f64 p, double w, double g, double eta)
    sa_pair_f32 sa_fading_step_f32(
        sa_pair_f32 p, float w, float g, float eta, float eps
    )
    sa_pair_f64 sa_fading_step_f64(
        sa_pair_f64 p, double w, double g, double eta, double eps
    )


cdef inline state_t read_weight(
    state_t u, state_t s, double eps, double l1, double l2
) noexcept nogil:
    """The weight that a pair (u, s) stands for."""
    cdef sa_pair_f32 pair_f32
    cdef sa_pair_f64 pair_f64
    if state_t is float:
        pair_f32.u, pair_f32.s = u, s
        return sa_read_weight_f32(pair_f32, <float> eps, <float> l1, <float> l2)
    else:
        pair_f64.u, pair_f64.s = u, s
        return sa_read_weight_f64(pair_f64, eps, l1, l2)


cdef inline void dual_step(
    state_t* u, state_t* s, state_t w, double g, double eta
) noexcept nogil:
    """Step one pair by the gradient g; w is the weight before."""
    cdef sa_pair_f32 pair_f32
    cdef sa_pair_f64 pair_f64
    if state_t is float:
        pair_f32.u, pair_f32.s = u[0], s[0]
        pair_f32 = sa_dual_step_f32(pair_f32, w, <float> g, <float> eta)
        s[0], u[0] = pair_f32.s, pair_f32.u
    else:
        pair_f64.u, pair_f64.s = u[0], s[0]
        pair_f64 = sa_dual_step_f64(pair_f64, w, g, eta)
        s[0], u[0] = pair_f64.s, pair_f64.u


cdef inline void fading_step(
    state_t* u, state_t* s, state_t w, double g, double eta, double eps
) noexcept nogil:
    cdef sa_pair_f32 pair_f32
    cdef sa_pair_f64 pair_f64
    if state_t is float:
        pair_f32.u, pair_f32.s = u[0], s[0]
        pair_f32 = sa_fading_step_f32(
            pair_f32, w, <float> g, <float> eta, <float> eps
        )
        s[0], u[0] = pair_f32.s, pair_f32.u
    else:
        pair_f64.u, pair_f64.s = u[0], s[0]
        pair_f64 = sa_fading_step_f64(pair_f64, w, g, eta, eps)
        s[0], u[0] = pair_f64.s, pair_f64.u


cdef inline double read_row(
    const sa_variant* variant,
    const state_t* pairs,
    const index_t* indices,
    const state_t* x,
    Py_ssize_t row_nnz,
    state_t* read,
    double eps,
    double l1,
    double l2,
) noexcept nogil:
    """Read the row's (u, s, w) into ``read``; return the product of x and w."""
    if state_t is float:
        if index_t is int:
            return variant.f32_i32.read_row(
                <const sa_pair_f32*> pairs, indices, x, row_nnz, read, eps, l1, l2
            )
        else:
            return variant.f32_i64.read_row(
                <const sa_pair_f32*> pairs, indices, x, row_nnz, read, eps, l1, l2
            )
    else:
        if index_t is int:
            return variant.f64_i32.read_row(
                <const sa_pair_f64*> pairs, indices, x, row_nnz, read, eps, l1, l2
            )
        else:
            return variant.f64_i64.read_row(
                <const sa_pair_f64*> pairs, indices, x, row_nnz, read, eps, l1, l2
            )


cdef inline bint step_row(
    const sa_variant* variant,
    state_t* pairs,
    const index_t* indices,
    const state_t* x,
    Py_ssize_t row_nnz,
    const state_t* read,
    double gradient,
    double eta,
    const index_t* coming,
    Py_ssize_t coming_nnz,
) noexcept nogil:
    """Step the features that were read; whether every number stayed finite.

    Meanwhile the features of a row to come are asked for.
    """
    if state_t is float:
        if index_t is int:
            return variant.f32_i32.step_row(
                <sa_pair_f32*> pairs, indices, x, row_nnz, read, gradient, eta,
                coming, coming_nnz,
            )
        else:
            return variant.f32_i64.step_row(
                <sa_pair_f32*> pairs, indices, x, row_nnz, read, gradient, eta,
                coming, coming_nnz,
            )
    else:
        if index_t is int:
            return variant.f64_i32.step_row(
                <sa_pair_f64*> pairs, indices, x, row_nnz, read, gradient, eta,
                coming, coming_nnz,
            )
        else:
            return variant.f64_i64.step_row(
                <sa_pair_f64*> pairs, indices, x, row_nnz, read, gradient, eta,
                coming, coming_nnz,
            )


cdef inline void restore_row(
    const sa_variant* variant,
    state_t* pairs,
    const index_t* indices,
    Py_ssize_t row_nnz,
    const state_t* read,
) noexcept nogil:
    """Give back the features that were read."""
    if state_t is float:
        if index_t is int:
            variant.f32_i32.restore_row(<sa_pair_f32*> pairs, indices, row_nnz, read)
        else:
            variant.f32_i64.restore_row(<sa_pair_f32*> pairs, indices, row_nnz, read)
    else:
        if index_t is int:
            variant.f64_i32.restore_row(<sa_pair_f64*> pairs, indices, row_nnz, read)
        else:
            variant.f64_i64.restore_row(<sa_pair_f64*> pairs, indices, row_nnz, read)


cdef inline void read_outputs(
    const sa_variant* variant,
    const state_t* state,
    const index_t* indices,
    const state_t* x,
    Py_ssize_t row_nnz,
    Py_ssize_t n_outputs,
    state_t* read,
    const state_t* eps,
    const state_t* l1,
    const state_t* l2,
    state_t* raw_prediction,
) noexcept nogil:
    """`read_row` for outputs side by side; ``read`` holds the weights alone."""
    if state_t is float:
        if index_t is int:
            variant.f32_i32.read_outputs(
                state, indices, x, row_nnz, n_outputs, read, eps, l1, l2,
                raw_prediction
            )
        else:
            variant.f32_i64.read_outputs(
                state, indices, x, row_nnz, n_outputs, read, eps, l1, l2,
                raw_prediction
            )
    else:
        if index_t is int:
            variant.f64_i32.read_outputs(
                state, indices, x, row_nnz, n_outputs, read, eps, l1, l2,
                raw_prediction
            )
        else:
            variant.f64_i64.read_outputs(
                state, indices, x, row_nnz, n_outputs, read, eps, l1, l2,
                raw_prediction
            )


cdef inline bint step_outputs(
    const sa_variant* variant,
    state_t* state,
    const index_t* indices,
    const state_t* x,
    Py_ssize_t row_nnz,
    Py_ssize_t n_outputs,
    const state_t* read,
    const state_t* gradients,
    const state_t* eta,
    const index_t* coming,
    Py_ssize_t coming_nnz,
) noexcept nogil:
    """`step_row` for outputs side by side."""
    if state_t is float:
        if index_t is int:
            return variant.f32_i32.step_outputs(
                state, indices, x, row_nnz, n_outputs, read, gradients, eta,
                coming, coming_nnz,
            )
        else:
            return variant.f32_i64.step_outputs(
                state, indices, x, row_nnz, n_outputs, read, gradients, eta,
                coming, coming_nnz,
            )
    else:
        if index_t is int:
            return variant.f64_i32.step_outputs(
                state, indices, x, row_nnz, n_outputs, read, gradients, eta,
                coming, coming_nnz,
            )
        else:
            return variant.f64_i64.step_outputs(
                state, indices, x, row_nnz, n_outputs, read, gradients, eta,
                coming, coming_nnz,
            )


cdef inline double dot_row(
    const sa_variant* variant,
    const state_t* x,
    const index_t* indices,
    Py_ssize_t row_nnz,
    const state_t* coef,
) noexcept nogil:
    """The product of x and the row's coefficients."""
    if state_t is float:
        if index_t is int:
            return variant.f32_i32.dot_row(x, indices, row_nnz, coef)
        else:
            return variant.f32_i64.dot_row(x, indices, row_nnz, coef)
    else:
        if index_t is int:
            return variant.f64_i32.dot_row(x, indices, row_nnz, coef)
        else:
            return variant.f64_i64.dot_row(x, indices, row_nnz, coef)
