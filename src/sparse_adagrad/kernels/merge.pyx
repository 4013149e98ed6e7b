"""What threads have learned apart, brought together.

(a) Each thread has its own copy of what many rows change. The sum of squared gradients
    grows by what each copy has added.
(b) Moves of a weight add up while they are small beside what there is to learn; copies
    that have seen much have learned the same, and their moves are averaged. Rows that
    pull at a weight with strength k take it about k / (1 + k) of the way, so one model
    would have gone K / (1 + K) of it, K being the sum of the copies' k; the sum of the
    moves, of which each went its k / (1 + k), is scaled to that. A feature goes no
    further than twice their mean.
(c) k is the sum of the rows' steps over the error that they meet: the rate times the
    curvature, summed over the rows, over the root s. That sum is in proportion to the
    squared gradients added; `merge_scalars` finds the factor.
"""

import numpy as np

from libc.math cimport copysign, copysignf, fabs, fabsf, sqrt, sqrtf

from sparse_adagrad.kernels.scales cimport Output, Totals
from sparse_adagrad.kernels.step cimport read_weight, state_t

# The features of a row learn together, so copies overlap in what they learn by more
# than each feature's own k tells. Of 1, 2, 4 and 16 (two threads, four tasks), 1 to 4
# end within 0.5 % of one thread's test error, or below it.
cdef double OVERLAP = 2.0
# Features that move by more than twice the mean of their copies' moves may diverge; the
# intercept, which learns alone, may move by the sum.
cdef double MOST_MEANS = 2.0
# Beyond this, a copy has learned all that its rows tell.
cdef double FULLY = 1e9


cdef enum:
    BLOCK = 64  # features that are merged side by side, in the registers of any CPU


cdef inline state_t share_of_moves(
    state_t together, state_t apart, state_t n_moved, double most_means
) noexcept nogil:
    """What part of the copies' added moves one model would have moved.

    ``together`` is K, ``apart`` the sum of k / (1 + k); ``most_means`` of the moves are
    the most.
    """
    cdef state_t share = together / ((<state_t> 1.0 + together) * apart)
    cdef state_t most = <state_t> most_means / n_moved
    share = share if apart > 0.0 else <state_t> 1.0
    return share if share < most else most


cdef inline void merge_block(
    const state_t* first,
    state_t* merged,
    Py_ssize_t n_features,
    Py_ssize_t n_outputs,
    Py_ssize_t copies_start,
    Py_ssize_t stride,
    Py_ssize_t n_copies,
    const Output* output,
    double pull_,
) noexcept nogil:
    """Merge one output of the copies of at most `BLOCK` features.

    ``first`` and ``merged`` point to the first u. No branches: whether a copy has moved
    cannot be foretold.
    """
    cdef state_t[BLOCK] w_before
    cdef state_t[BLOCK] square_before
    cdef state_t[BLOCK] added  # to the sum of squared gradients
    cdef state_t[BLOCK] duals
    cdef state_t[BLOCK] moved
    cdef state_t[BLOCK] n_moved
    cdef state_t[BLOCK] together
    cdef state_t[BLOCK] apart
    cdef state_t stabiliser = <state_t> (output.eps + output.l2)
    cdef state_t l1 = <state_t> output.l1
    cdef state_t pull = <state_t> pull_
    cdef state_t one = 1.0
    cdef state_t zero = 0.0
    cdef state_t fully = <state_t> FULLY
    cdef Py_ssize_t feature = 2 * n_outputs
    cdef Py_ssize_t c, j
    cdef const state_t* copy = first
    cdef state_t u, s, w, k, share, whole, undecided
    for j in range(n_features):
        u = merged[j * feature]
        s = merged[j * feature + n_outputs]
        w_before[j] = read_weight(u, s, output.eps, output.l1, output.l2)
        square_before[j] = s * s
        added[j] = duals[j] = moved[j] = n_moved[j] = together[j] = apart[j] = 0.0
    for c in range(n_copies + 1):
        if c > 0:
            copy = first + copies_start + (c - 1) * stride
        for j in range(n_features):
            u = copy[j * feature]
            s = copy[j * feature + n_outputs]
            share = s * s - square_before[j]
            share = share if share > zero else zero
            w = read_weight(u, s, output.eps, output.l1, output.l2) - w_before[j]
            k = pull * share / (s + stabiliser)
            k = k if k < fully else fully
            added[j] += share
            duals[j] += share * u
            moved[j] += w
            n_moved[j] += one if share > zero else zero
            together[j] += k
            apart[j] += k / (one + k)
    for j in range(n_features):
        u = first[j * feature]
        s = square_before[j] + added[j]
        s = sqrtf(s) if state_t is float else sqrt(s)
        w = w_before[j] + moved[j] * share_of_moves(
            together[j], apart[j], n_moved[j], MOST_MEANS
        )
        # The weight's definition, solved for u; where a weight is 0, u still counts.
        whole = (fabsf(w) if state_t is float else fabs(w)) * (s + stabiliser) + l1
        whole = copysignf(whole, -w) if state_t is float else copysign(whole, -w)
        undecided = duals[j] / added[j]
        whole = whole if w != zero else undecided
        merged[j * feature] = whole if n_moved[j] > zero else u
        merged[j * feature + n_outputs] = s


def merge_copies(
    const state_t[:, :, ::1] pairs,
    state_t[:, :, ::1] merged,
    Py_ssize_t first,
    Py_ssize_t last,
    Py_ssize_t copies_start,
    const Output[::1] outputs,
    const double[::1] pull,
):
    """Merge the copies of features ``first`` to ``last``.

    Parameters
    ----------
    pairs : ndarray of shape (n_places, 2, n_outputs)
        The features' first copies at its start, the further ones from ``copies_start``
        to its end.
    merged : ndarray of shape (n_hot, 2, n_outputs)
        The features as of the last merge; updated.
    first, last : int
    copies_start : int
    outputs : records of shape (n_outputs,)
    pull : ndarray of shape (n_outputs,), float64
        What k is in units of the squared gradients added over the root s.
    """
    cdef Py_ssize_t n_hot = merged.shape[0]
    cdef Py_ssize_t n_outputs = outputs.shape[0]
    cdef Py_ssize_t feature = 2 * n_outputs
    cdef Py_ssize_t j, o, n_copies
    if first >= last:
        return
    n_copies = (pairs.shape[0] - copies_start) // n_hot
    with nogil:
        for j from first <= j < last by BLOCK:
            for o in range(n_outputs):
                merge_block(
                    &pairs[j, 0, o], &merged[j, 0, o],
                    min(<Py_ssize_t> BLOCK, last - j), n_outputs,
                    copies_start * feature, n_hot * feature, n_copies, &outputs[o],
                    OVERLAP * pull[o],
                )


def merge_scalars(
    Totals[::1] totals,
    Output[::1] outputs,
    const Totals[:, ::1] own_totals,
    const Output[:, ::1] own_outputs,
    const double[:, ::1] pace,
    Py_ssize_t batch_size,
):
    """Take over the scalars of threads that started from these.

    Parameters
    ----------
    totals, outputs : records of shape (1,) and (n_outputs,); updated
    own_totals, own_outputs : records of shape (n_threads, 1), (n_threads, n_outputs)
    pace : ndarray of shape (2, n_outputs), float64
        Of a feature and of the intercept; see `adagrad.learning_pace`.
    batch_size : int
        Rows per update.

    Returns
    -------
    pull : ndarray of shape (n_outputs,), float64
        What k of a feature is in units of the squared gradients added over its root s.
    """
    cdef Py_ssize_t n_threads = own_totals.shape[0]
    cdef double before = totals[0].n_seen
    cdef double n_seen = 0.0
    cdef double added, per_square, share, root
    cdef double k, moved, together, apart
    cdef int n_moved
    cdef Output output
    cdef const Output* own
    cdef Py_ssize_t o, t
    pull = np.zeros(outputs.shape[0])
    for t in range(n_threads):
        n_seen += own_totals[t, 0].n_seen - before
    totals[0].n_seen += n_seen
    for o in range(outputs.shape[0]):
        output = outputs[o]
        # Every thread has counted the rows of all.
        output.l1 = output.l2 = added = 0.0
        for t in range(n_threads):
            own = &own_outputs[t, o]
            output.l1 += own.l1 / n_threads
            output.l2 += own.l2 / n_threads
            output.eps = own.eps
            added += own.intercept_grad_sq_sum - output.intercept_grad_sq_sum
        if added > 0.0:
            # The squared gradients of a feature are about the sum of x^2 times the
            # loss's squared slope, of which the intercept's have the mean.
            per_square = n_seen / (batch_size * added)
            pull[o] = pace[0, o] * per_square
            moved = together = apart = 0.0
            n_moved = 0
            for t in range(n_threads):
                own = &own_outputs[t, o]
                share = own.intercept_grad_sq_sum - output.intercept_grad_sq_sum
                root = sqrt(own.intercept_grad_sq_sum)
                if share > 0.0:
                    k = pace[1, o] * per_square * share / root
                    moved += own.intercept - output.intercept
                    n_moved += 1
                    together += k
                    apart += k / (1.0 + k)
            output.intercept_grad_sq_sum += added
            output.intercept += moved * share_of_moves[double](
                together, apart, n_moved, n_moved
            )
        outputs[o] = output
    return pull
