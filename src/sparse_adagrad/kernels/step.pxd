"""The AdaGrad step with its lazy penalty: the one place with the formula.

Duchi, Hazan and Singer (JMLR 12, 2011), diagonal AdaGrad, for one feature:

    G <- G + g^2,    w <- w - eta g / (sqrt(G) + eps)

(a) What is stored is not (w, G) but (u, s): s = sqrt(G) and a dual weight u,
    from which the weight is *read* (``read_weight``). With no penalty, inserting
    ``dual_step`` into ``read_weight`` gives back the two lines above:
    w' = (w (s + eps) + (s' - s) w - eta g) / (s' + eps) = w - eta g / (s' + eps).
(b) With a penalty this is FTRL-Proximal (McMahan, AISTATS 2011). l1 and l2 are
    the penalties of all updates so far, each times the rate of its update. They
    enter only when a weight is read, so a feature that was not seen for a million
    rows owes nothing: no sweep, no time stamps.
(c) The gradient step is never made from a difference of squares: s' - s is taken
    between the two *stored* roots, so rounding of s cannot make w drift.
"""

from libc.math cimport fabs, fabsf, sqrt, sqrtf

ctypedef fused state_t:
    float
    double


cdef inline state_t root(state_t value) noexcept nogil:
    if state_t is float:
        return sqrtf(value)
    else:
        return sqrt(value)


cdef inline state_t magnitude(state_t value) noexcept nogil:
    if state_t is float:
        return fabsf(value)
    else:
        return fabs(value)


cdef inline state_t read_weight(
    state_t u, state_t s, state_t eps, state_t l1, state_t l2
) noexcept nogil:
    """w = -sign(u) max(|u| - l1, 0) / (s + eps + l2)."""
    cdef state_t size = magnitude(u) - l1
    if size <= 0:
        return 0
    return (-size if u > 0 else size) / (s + eps + l2)


cdef inline void dual_step(
    state_t* u, state_t* s, state_t w, state_t g, state_t eta
) noexcept nogil:
    """Add g^2 to s^2, then move u against the gradient."""
    cdef state_t s_new = root(s[0] * s[0] + g * g)
    u[0] += eta * g - (s_new - s[0]) * w
    s[0] = s_new


cdef inline void textbook_step(
    double* w, double* grad_sq_sum, double g, double eta, double eps
) noexcept nogil:
    """The same step as the paper writes it; the intercept, never penalised, uses it."""
    grad_sq_sum[0] += g * g
    w[0] -= eta * g / (sqrt(grad_sq_sum[0]) + eps)
