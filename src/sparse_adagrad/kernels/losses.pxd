"""Loss and derivative of one sample, one inline pair per loss.

(a) The loss is chosen once per row by ``loss_value`` and ``loss_gradient``; a
    predictable switch per row costs nothing beside the row's non-zeros, so no
    templates are needed.
(b) Arguments come in the order ``y_true, raw_prediction`` everywhere. All
    arithmetic is float64: these run once per row, not once per entry.
(c) ``raw_unit`` and ``gradient_unit`` say in which unit a raw prediction and a
    derivative are measured when the target has a given mean and spread. The
    "scaled" learning rate is built on them alone.
"""

from libc.math cimport exp, fabs, fmin, log


cdef enum LossId:
    SQUARED_ERROR = 0
    ABSOLUTE_ERROR = 1
    HUBER = 2
    EPSILON_INSENSITIVE = 3
    SQUARED_EPSILON_INSENSITIVE = 4
    QUANTILE = 5
    POISSON = 6


cdef struct Loss:
    LossId id
    double parameter  # epsilon (huber, insensitive) or quantile; else unused


cdef inline double huber(double residual, double epsilon) noexcept nogil:
    cdef double size = fabs(residual)
    if size <= epsilon:
        return 0.5 * residual * residual
    return epsilon * (size - 0.5 * epsilon)


cdef inline double huber_gradient(double residual, double epsilon) noexcept nogil:
    if residual > epsilon:
        return epsilon
    return -epsilon if residual < -epsilon else residual


cdef inline double excess(double residual, double epsilon) noexcept nogil:
    """How far the residual lies outside the tube, with its sign."""
    if residual > epsilon:
        return residual - epsilon
    return residual + epsilon if residual < -epsilon else 0.0


cdef inline double sign(double value) noexcept nogil:
    return (value > 0.0) - (value < 0.0)


cdef inline double pinball(double residual, double quantile) noexcept nogil:
    """Residual is prediction minus truth, so too low costs ``quantile``."""
    return (1.0 - quantile) * residual if residual >= 0.0 else -quantile * residual


cdef inline double pinball_gradient(double residual, double quantile) noexcept nogil:
    if residual == 0.0:
        return 0.0
    return 1.0 - quantile if residual > 0.0 else -quantile


cdef inline double half_poisson_deviance(
    double y_true, double raw_prediction
) noexcept nogil:
    """exp(p) - y p less what it is at its least, so that a perfect model has 0."""
    cdef double least = y_true - y_true * log(y_true) if y_true > 0.0 else 0.0
    return exp(raw_prediction) - y_true * raw_prediction - least


cdef inline double loss_value(
    Loss loss, double y_true, double raw_prediction
) noexcept nogil:
    cdef double residual = raw_prediction - y_true
    if loss.id == SQUARED_ERROR:
        return 0.5 * residual * residual
    if loss.id == ABSOLUTE_ERROR:
        return fabs(residual)
    if loss.id == HUBER:
        return huber(residual, loss.parameter)
    if loss.id == EPSILON_INSENSITIVE:
        return fabs(excess(residual, loss.parameter))
    if loss.id == SQUARED_EPSILON_INSENSITIVE:
        residual = excess(residual, loss.parameter)
        return residual * residual
    if loss.id == QUANTILE:
        return pinball(residual, loss.parameter)
    return half_poisson_deviance(y_true, raw_prediction)


cdef inline double loss_gradient(
    Loss loss, double y_true, double raw_prediction
) noexcept nogil:
    cdef double residual = raw_prediction - y_true
    if loss.id == SQUARED_ERROR:
        return residual
    if loss.id == ABSOLUTE_ERROR:
        return sign(residual)
    if loss.id == HUBER:
        return huber_gradient(residual, loss.parameter)
    if loss.id == EPSILON_INSENSITIVE:
        return sign(excess(residual, loss.parameter))
    if loss.id == SQUARED_EPSILON_INSENSITIVE:
        return 2.0 * excess(residual, loss.parameter)
    if loss.id == QUANTILE:
        return pinball_gradient(residual, loss.parameter)
    return exp(raw_prediction) - y_true


cdef inline double link(Loss loss, double mean) noexcept nogil:
    """Raw prediction whose prediction is ``mean``."""
    if loss.id != POISSON:
        return mean
    # A target that has only been 0 so far has no logarithm; e^-36 is 0 enough.
    return log(mean) if mean > 2.0 ** -52 else -52.0 * log(2.0)


cdef inline double raw_unit(Loss loss, double spread) noexcept nogil:
    """Unit of a raw prediction: the target's spread, or 1 on a log scale."""
    return 1.0 if loss.id == POISSON else spread


cdef inline double gradient_unit(
    Loss loss, double mean, double spread
) noexcept nogil:
    """Size of the derivative at a residual of one spread."""
    if loss.id == SQUARED_ERROR:
        return spread
    if loss.id == HUBER:
        return fmin(spread, loss.parameter)
    if loss.id == SQUARED_EPSILON_INSENSITIVE:
        return 2.0 * spread
    if loss.id == POISSON:
        return mean
    return 1.0
