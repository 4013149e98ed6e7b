"""Element-wise Python wrappers over the inlines that the kernel itself uses."""

import numpy as np

# Python's names of the losses, and which parameter of the estimator each reads.
LOSSES = {
    "squared_error": (SQUARED_ERROR, None),
    "absolute_error": (ABSOLUTE_ERROR, None),
    "huber": (HUBER, "epsilon"),
    "epsilon_insensitive": (EPSILON_INSENSITIVE, "epsilon"),
    "squared_epsilon_insensitive": (SQUARED_EPSILON_INSENSITIVE, "epsilon"),
    "quantile": (QUANTILE, "quantile"),
    "poisson": (POISSON, None),
}
# Those that grow in proportion to a large residual, not to its square.
LINEAR = frozenset({"absolute_error", "huber", "epsilon_insensitive", "quantile"})


cdef Loss make_loss(str name, double parameter):
    cdef Loss loss
    loss.id = LOSSES[name][0]
    loss.parameter = parameter
    return loss


def loss(str name, const double[::1] y_true, const double[::1] raw_prediction,
         double parameter=0.0):
    """Loss of each sample: float64, shape (n_samples,)."""
    cdef Loss chosen = make_loss(name, parameter)
    cdef Py_ssize_t i
    out = np.empty(y_true.shape[0])
    cdef double[::1] values = out
    for i in range(min(y_true.shape[0], raw_prediction.shape[0])):
        values[i] = loss_value(chosen, y_true[i], raw_prediction[i])
    return out


def dloss(str name, const double[::1] y_true, const double[::1] raw_prediction,
          double parameter=0.0):
    """Derivative of each sample's loss by its raw prediction, shape (n_samples,)."""
    cdef Loss chosen = make_loss(name, parameter)
    cdef Py_ssize_t i
    out = np.empty(y_true.shape[0])
    cdef double[::1] values = out
    for i in range(min(y_true.shape[0], raw_prediction.shape[0])):
        values[i] = loss_gradient(chosen, y_true[i], raw_prediction[i])
    return out
