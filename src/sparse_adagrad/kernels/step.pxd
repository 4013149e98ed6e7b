"""The formula and the row of it, from C, under names that take either type.

The formula itself stands in ``native/formula.inc.h``, in one place for the loops that
the compiler turns into vector code and for those here that go feature by feature.
"""

ctypedef fused state_t:
    float
    double


cdef extern from "native/formula.h" nogil:
    ctypedef struct sa_pair_f32:
        float u
        float s

    ctypedef struct sa_pair_f64:
        double u
        double s

    float sa_read_weight_f32(sa_pair_f32 p, float eps, float l1, float l2)
    double sa_read_weight_f64(sa_pair_f64 p, double eps, double l1, double l2)
    sa_pair_f32 sa_dual_step_f32(sa_pair_f32 p, float w, float g, float eta)
    sa_pair_f64 sa_dual_step_f64(sa_pair_f64 p, double w, double g, double eta)


cdef extern from "native/variants.h" nogil:
    enum:
        SA_LANES

    ctypedef struct sa_variant:
        const char* name
        double (*read_f32)(
            const sa_pair_f32*, const float*, float*, Py_ssize_t, double, double, double
        ) noexcept nogil
        double (*read_f64)(
            const sa_pair_f64*, const double*, double*, Py_ssize_t, double, double,
            double
        ) noexcept nogil
        int (*step_f32)(
            sa_pair_f32*, const float*, const float*, Py_ssize_t, double, double
        ) noexcept nogil
        int (*step_f64)(
            sa_pair_f64*, const double*, const double*, Py_ssize_t, double, double
        ) noexcept nogil

    const sa_variant* sa_variant_at(int place)
    void sa_prefetch(const void* address)


cdef inline state_t read_weight(
    const state_t* pair, double eps, double l1, double l2
) noexcept nogil:
    """The weight that a pair (u, s) stands for."""
    if state_t is float:
        return sa_read_weight_f32(
            (<const sa_pair_f32*> pair)[0], <float> eps, <float> l1, <float> l2
        )
    else:
        return sa_read_weight_f64((<const sa_pair_f64*> pair)[0], eps, l1, l2)


cdef inline void dual_step(
    state_t* pair, state_t w, double g, double eta
) noexcept nogil:
    """Step one pair by the gradient g; w is the weight before."""
    cdef sa_pair_f32 moved_f32
    cdef sa_pair_f64 moved_f64
    if state_t is float:
        moved_f32 = sa_dual_step_f32(
            (<const sa_pair_f32*> pair)[0], w, <float> g, <float> eta
        )
        pair[0], pair[1] = moved_f32.u, moved_f32.s
    else:
        moved_f64 = sa_dual_step_f64((<const sa_pair_f64*> pair)[0], w, g, eta)
        pair[0], pair[1] = moved_f64.u, moved_f64.s


cdef inline double read_row(
    const sa_variant* variant,
    const state_t* pairs,
    const state_t* x,
    state_t* w,
    Py_ssize_t padded,
    double eps,
    double l1,
    double l2,
) noexcept nogil:
    """Read a gathered row's weights into w; return their product with x."""
    if state_t is float:
        return variant.read_f32(
            <const sa_pair_f32*> pairs, x, w, padded, eps, l1, l2
        )
    else:
        return variant.read_f64(
            <const sa_pair_f64*> pairs, x, w, padded, eps, l1, l2
        )


cdef inline bint step_row(
    const sa_variant* variant,
    state_t* pairs,
    const state_t* x,
    const state_t* w,
    Py_ssize_t padded,
    double gradient,
    double eta,
) noexcept nogil:
    """Step a gathered row; whether every number stayed finite."""
    if state_t is float:
        return variant.step_f32(<sa_pair_f32*> pairs, x, w, padded, gradient, eta)
    else:
        return variant.step_f64(<sa_pair_f64*> pairs, x, w, padded, gradient, eta)
