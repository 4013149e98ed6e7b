"""Learn from rows.

(a) Everything here sees raw arrays only, under the contract of ``_validation``: CSR
    in range and finite, no column twice in a row. Inputs are const, so read-only
    memory maps work; the state is updated in place; nothing is allocated per row.
(b) A sample is: take its entries in their columns' units, read the weights of its
    active features, predict, differentiate the loss, step. What was read serves the
    step too. Several outputs go through the vector registers side by side.
(c) A mini-batch sums the gradients of its active features and steps each once, as if
    they were one row. A number a column tells which have come; only these are cleared.
(d) The GIL is released. The caller hands over few enough rows at a time that
    Python can see its signals in between.
(e) A row after which a number is not finite is reported by its place, and nothing
    after it is touched; what to do about it is the caller's business.
"""

import numpy as np

from libc.math cimport INFINITY, NAN, fmax, isfinite, pow, sqrt
from libc.stdint cimport int64_t, uint32_t
from libc.stdlib cimport calloc, free, malloc

from sparse_adagrad.kernels.active cimport (
    Active,
    clear_active,
    free_active,
    gradients_of,
    make_active,
)
from sparse_adagrad.kernels.cpu cimport (
    NEAR_BYTES,
    SA_LANES,
    SA_LINE,
    VARIANT,
    sa_prefetch,
    sa_prefetch_early,
    sa_prefetch_feature,
    sa_variant,
)
from sparse_adagrad.kernels.entries cimport fetch_entries
from sparse_adagrad.kernels.losses cimport (
    Loss,
    link,
    loss_gradient,
    loss_value,
)
from sparse_adagrad.kernels.losses import LOSSES
from sparse_adagrad.kernels.observe cimport observe_row, row_values
from sparse_adagrad.kernels.scales cimport (
    SCALING_NONE,
    Output,
    Rates,
    Scaling,
    Totals,
    column_unit,
    data_t,
    index_t,
    observe_target,
    offset_t,
    row_length,
    scaled_rates,
)
from sparse_adagrad.kernels.step cimport (
    dual_step,
    fading_step,
    read_outputs,
    read_row,
    read_weight,
    state_t,
    step_outputs,
    step_row,
)
from sparse_adagrad.kernels.undo cimport log_outputs, log_place

cdef enum:
    # The features of a row are asked for so many entries ahead of their use, which is
    # some hundred nanoseconds, and its entries twice as many rows ahead: they come from
    # memory while others are learned, and random order costs little more than sequence.
    ENTRIES_AHEAD = 256
    MOST_ROWS_AHEAD = 4


cdef class Settings:
    """What stays the same during a call.

    Parameters
    ----------
    loss : str
        Name of the loss.
    loss_parameter : float
        Its epsilon or quantile.
    eta0 : float
        Base rate, in units of std(y) / rms(|x|) where `scaled`.
    eps : float
        Stabiliser, in the unit of the gradient where `scaled`.
    scaled : bool
        Whether rates follow the scales of y and x.
    fit_intercept : bool
        Whether the intercept is learned.
    running : bool
        Whether the scales run with the rows (a stream) or stand (within `fit`).
    batch_size : int
        Rows per update.
    decay : float
        Share of the squared gradients that every sample lets fade.
    """

    cdef Loss loss
    cdef double eta0
    cdef double eps
    cdef readonly bint scaled
    cdef bint fit_intercept
    cdef bint running
    cdef readonly Py_ssize_t batch_size
    cdef readonly double decay

    def __init__(
        self,
        *,
        str loss,
        double loss_parameter,
        double eta0,
        double eps,
        bint scaled,
        bint fit_intercept,
        bint running,
        Py_ssize_t batch_size,
        double decay,
    ):
        self.loss.id = LOSSES[loss][0]
        self.loss.parameter = loss_parameter
        self.eta0 = eta0
        self.eps = eps
        self.scaled = scaled
        self.fit_intercept = fit_intercept
        self.running = running
        self.batch_size = batch_size
        self.decay = decay


# The same as a struct, for code without the GIL.
cdef struct Plan:
    Loss loss
    double eta0
    double eps
    bint scaled
    bint fit_intercept
    bint running
    double decay
    Scaling scaling
    Py_ssize_t n_outputs
    const sa_variant* variant


# Working memory: of a row, which grows with the longest, and of the outputs. What the
# vector code takes has the state's type.
cdef struct Scratch:
    void* row_memory
    Py_ssize_t capacity
    void* x  # values, where the row's own do not serve
    void* own_read  # (u, s, w) in blocks, or w alone of several outputs
    void* read  # where the row's go: there, or to what is kept
    void* output_memory
    void* vectors  # five numbers an output: see Vectors
    double* raw_prediction
    double* slopes  # weighted derivatives of the losses by the raw predictions
    double* slope_sums  # of a mini-batch; else 0
    Rates* rates


# Rows of Scratch.vectors, n_outputs long.
cdef enum Vectors:
    EPS
    L1
    L2
    FACTOR  # raw prediction, then gradient
    ETA


cdef Plan plan_of(Settings settings, const Totals* totals, Py_ssize_t n_outputs):
    cdef Plan plan
    plan.loss = settings.loss
    plan.eta0 = settings.eta0
    plan.eps = settings.eps
    plan.scaled = settings.scaled
    plan.fit_intercept = settings.fit_intercept
    plan.running = settings.running
    plan.decay = settings.decay
    plan.scaling = <Scaling> <int> totals.column_scaling
    plan.n_outputs = n_outputs
    plan.variant = VARIANT
    return plan


cdef bint make_output_scratch(
    Scratch* scratch, Py_ssize_t n_outputs, size_t item
) noexcept nogil:
    """One block, cut on cache lines; False where there is no memory for it."""
    cdef size_t vectors = in_lines(5 * item * n_outputs)
    cdef size_t doubles = in_lines(3 * sizeof(double) * n_outputs)
    scratch.row_memory = NULL
    scratch.capacity = 0
    scratch.output_memory = calloc(
        SA_LINE + vectors + doubles + n_outputs * sizeof(Rates), 1
    )
    if scratch.output_memory == NULL:
        return False
    cdef char* start = <char*> in_lines(<size_t> scratch.output_memory)
    scratch.vectors = start
    scratch.raw_prediction = <double*> (start + vectors)
    scratch.slopes = scratch.raw_prediction + n_outputs
    scratch.slope_sums = scratch.slopes + n_outputs
    scratch.rates = <Rates*> (start + vectors + doubles)
    return True


cdef bint make_row_scratch(
    Scratch* scratch, Py_ssize_t row_nnz, Py_ssize_t n_outputs, size_t item
) noexcept nogil:
    """Room for a row, half as much again for longer ones, in place of what there is."""
    cdef Py_ssize_t capacity = row_nnz + row_nnz // 2 + SA_LANES
    cdef size_t x = in_lines(item * capacity)
    free(scratch.row_memory)
    scratch.row_memory = malloc(
        # A feature takes u, s and w, its outputs, or half a register of these.
        SA_LINE + x + item * (capacity + SA_LANES) * max(n_outputs, SA_LANES // 2)
    )
    if scratch.row_memory == NULL:
        return False
    scratch.capacity = capacity
    scratch.x = <char*> in_lines(<size_t> scratch.row_memory)
    scratch.own_read = <char*> scratch.x + x
    scratch.read = scratch.own_read
    return True


cdef void free_scratch(Scratch* scratch) noexcept nogil:
    free(scratch.row_memory)
    free(scratch.output_memory)


cdef inline size_t in_lines(size_t size) noexcept nogil:
    """Rounded up to whole cache lines."""
    return (size + SA_LINE - 1) // SA_LINE * SA_LINE


cdef inline Rates rates_of(
    const Plan* plan, const Totals* totals, const Output* output
) noexcept nogil:
    cdef Rates rates
    if plan.scaled:
        return scaled_rates(
            totals, output, plan.loss, plan.eta0, plan.eps, plan.fit_intercept
        )
    rates.eta = rates.intercept_eta = plan.eta0
    rates.eps = rates.intercept_eps = plan.eps
    return rates


cdef inline void observe_sample(
    const Plan* plan,
    const double* y_true,
    double weight,
    double length_sq,
    Totals* totals,
    Output* outputs,
) noexcept nogil:
    """Let the sample move the running scales of the rows and of the target."""
    cdef Py_ssize_t o
    totals.weight_sum += weight
    totals.row_sq_sum += weight * length_sq
    for o in range(plan.n_outputs):
        observe_target(&outputs[o], y_true[o], weight, totals.weight_sum)
        if plan.scaled and plan.fit_intercept:
            outputs[o].base = link(plan.loss, outputs[o].y_mean)


# ------------------------------------------------------------------- one row, in calls
#
# What few rows need is apart, not inline: the compiler then joins what every row does.


cdef inline const data_t* row_start(
    const data_t* data,
    Py_ssize_t offset,
    const data_t* scaled,
    const int64_t* scaled_starts,
    Py_ssize_t i,
) noexcept nogil:
    """Where the values of row i are: among all, or among those in their units."""
    if scaled_starts != NULL and scaled_starts[i] >= 0:
        return scaled + scaled_starts[i]
    return data + offset


cdef inline void fetch_pairs(
    const state_t* pairs,
    const index_t* indices,
    Py_ssize_t row_nnz,
    Py_ssize_t n_outputs,
) noexcept nogil:
    """Ask for the pairs of a coming row's active features."""
    cdef Py_ssize_t k
    for k in range(row_nnz):
        sa_prefetch_feature(pairs, 2 * n_outputs * sizeof(state_t), indices[k])


cdef inline void fetch_maxima(
    const state_t* column_max, const index_t* indices, Py_ssize_t row_nnz
) noexcept nogil:
    """Ask for the largest |x| of a coming row's columns."""
    cdef Py_ssize_t k
    for k in range(row_nnz):
        sa_prefetch(column_max + indices[k])


cdef void predict_several(
    const Plan* plan,
    const state_t* pairs,
    const index_t* indices,
    const state_t* x,
    Py_ssize_t row_nnz,
    const Output* outputs,
    const Scratch* scratch,
) noexcept nogil:
    """`predict_row` for several outputs."""
    cdef Py_ssize_t n_outputs = plan.n_outputs
    cdef state_t* vectors = <state_t*> scratch.vectors
    cdef Py_ssize_t o
    for o in range(n_outputs):
        vectors[EPS * n_outputs + o] = <state_t> outputs[o].eps
        vectors[L1 * n_outputs + o] = <state_t> outputs[o].l1
        vectors[L2 * n_outputs + o] = <state_t> outputs[o].l2
    read_outputs(
        plan.variant, pairs, indices, x, row_nnz, n_outputs, <state_t*> scratch.read,
        vectors + EPS * n_outputs, vectors + L1 * n_outputs, vectors + L2 * n_outputs,
        vectors + FACTOR * n_outputs,
    )
    for o in range(n_outputs):
        scratch.raw_prediction[o] = vectors[FACTOR * n_outputs + o]


cdef inline void predict_row(
    const Plan* plan,
    const state_t* pairs,
    const index_t* indices,
    const state_t* x,
    Py_ssize_t row_nnz,
    const Output* outputs,
    const Scratch* scratch,
) noexcept nogil:
    """Read the row's weights and multiply them with ``x``."""
    if plan.n_outputs == 1:
        scratch.raw_prediction[0] = read_row(
            plan.variant, pairs, indices, x, row_nnz, <state_t*> scratch.read,
            outputs.eps, outputs.l1, outputs.l2,
        )
    else:
        predict_several(plan, pairs, indices, x, row_nnz, outputs, scratch)


cdef inline bint step_fading(
    const Plan* plan,
    state_t* pair,
    const double* gradients,
    const Rates* rates,
    const Output* outputs,
    double inflation,
) noexcept nogil:
    """Step the outputs of one feature where past gradients fade; whether finite."""
    cdef bint finite = True
    cdef Py_ssize_t o
    cdef state_t* s
    for o in range(plan.n_outputs):
        s = pair + plan.n_outputs + o
        fading_step(
            &pair[o], s,
            read_weight(pair[o], s[0], outputs[o].eps, outputs[o].l1, outputs[o].l2),
            gradients[o] * inflation, rates[o].eta,
            fmax(rates[o].eps * inflation, outputs[o].eps),
        )
        finite &= isfinite(pair[o]) != 0
    return finite


cdef bint step_fading_row(
    const Plan* plan,
    state_t* pairs,
    const index_t* indices,
    const state_t* x,
    Py_ssize_t row_nnz,
    const Output* outputs,
    double inflation,
    const Scratch* scratch,
) noexcept nogil:
    """`step_features` where past gradients fade."""
    cdef Py_ssize_t n_outputs = plan.n_outputs
    cdef bint finite = True
    cdef Py_ssize_t k, o
    for k in range(row_nnz):
        for o in range(n_outputs):
            scratch.raw_prediction[o] = scratch.slopes[o] * x[k]
        finite &= step_fading(
            plan, pairs + 2 * indices[k] * n_outputs, scratch.raw_prediction,
            scratch.rates, outputs, inflation,
        )
    return finite


cdef bint step_several(
    const Plan* plan,
    state_t* pairs,
    const index_t* indices,
    const state_t* x,
    Py_ssize_t row_nnz,
    const Scratch* scratch,
    const index_t* coming,
    Py_ssize_t coming_nnz,
) noexcept nogil:
    """`step_features` for several outputs."""
    cdef Py_ssize_t n_outputs = plan.n_outputs
    cdef state_t* vectors = <state_t*> scratch.vectors
    cdef Py_ssize_t o
    for o in range(n_outputs):
        vectors[FACTOR * n_outputs + o] = <state_t> scratch.slopes[o]
        vectors[ETA * n_outputs + o] = <state_t> scratch.rates[o].eta
    return step_outputs(
        plan.variant, pairs, indices, x, row_nnz, n_outputs, <state_t*> scratch.read,
        vectors + FACTOR * n_outputs, vectors + ETA * n_outputs, coming, coming_nnz,
    )


cdef inline bint step_features(
    const Plan* plan,
    state_t* pairs,
    const index_t* indices,
    const state_t* x,
    Py_ssize_t row_nnz,
    const Output* outputs,
    double inflation,
    const Scratch* scratch,
    const index_t* coming,
    Py_ssize_t coming_nnz,
) noexcept nogil:
    """Step the features just read by the gradients; whether all stayed finite.

    Those of the coming row are asked for meanwhile.
    """
    if plan.decay > 0.0:
        fetch_pairs(pairs, coming, coming_nnz, plan.n_outputs)
        return step_fading_row(
            plan, pairs, indices, x, row_nnz, outputs, inflation, scratch
        )
    if plan.n_outputs == 1:
        return step_row(
            plan.variant, pairs, indices, x, row_nnz, <state_t*> scratch.read,
            scratch.slopes[0], scratch.rates[0].eta, coming, coming_nnz,
        )
    return step_several(
        plan, pairs, indices, x, row_nnz, scratch, coming, coming_nnz
    )


cdef inline void settle_output(
    const Plan* plan,
    Output* output,
    const Rates* rates,
    double gradient,
    const double* alpha,
    double inflation,
) noexcept nogil:
    """Step the intercept and add this update's penalty to the sums."""
    # The intercept is never penalised: Duchi's two lines as they stand.
    output.intercept_grad_sq_sum += gradient * gradient
    if plan.fit_intercept:
        output.intercept -= rates.intercept_eta * gradient / (
            sqrt(output.intercept_grad_sq_sum) + rates.intercept_eps
        )
    if plan.decay > 0.0:
        # The weights are read without eps; `eps` stays what keeps 0 / 0 away.
        output.l1 += rates.eta * alpha[0] * inflation
        output.l2 += rates.eta * alpha[1] * inflation
        return
    output.l1 += rates.eta * alpha[0]
    output.l2 += rates.eta * alpha[1]
    output.eps = rates.eps


cdef inline bint score_sample(
    const Plan* plan,
    const double* y_true,
    double weight,
    const Totals* totals,
    Output* outputs,
    const Scratch* scratch,
    double* loss_sums,
) noexcept nogil:
    """Find the slopes at the raw predictions and add the losses; whether all finite.

    The untrained model's losses are added too. The first sample of a stream finds no
    mean to start from and is given its own.
    """
    cdef bint is_first = (
        plan.running and plan.scaled and plan.fit_intercept
        and totals.weight_sum == 0.0
    )
    cdef bint finite = True
    cdef double raw, slope
    cdef Py_ssize_t o
    for o in range(plan.n_outputs):
        if is_first:
            outputs[o].base = link(plan.loss, y_true[o])
        raw = scratch.raw_prediction[o] + (outputs[o].base + outputs[o].intercept)
        slope = weight * loss_gradient(plan.loss, y_true[o], raw)
        scratch.slopes[o] = slope
        loss_sums[2 * o] += weight * loss_value(plan.loss, y_true[o], raw)
        loss_sums[2 * o + 1] += weight * loss_value(
            plan.loss, y_true[o], outputs[o].base
        )
        finite &= (isfinite(slope) != 0) & (isfinite(loss_sums[2 * o]) != 0)
    return finite


cdef inline const state_t* take_sample(
    const Plan* plan,
    const data_t* data,
    const index_t* indices,
    Py_ssize_t row_nnz,
    state_t* column_max,
    Totals* totals,
    int64_t* bins,
    state_t* kept,
    const Scratch* scratch,
    double* length_sq,
) noexcept nogil:
    """The sample's values in their columns' units; see `observe_row` for a stream's."""
    if plan.running:
        return observe_row(
            plan.variant, plan.scaling, data, indices, row_nnz, column_max, totals,
            bins, kept, <state_t*> scratch.x, length_sq,
        )
    return row_values(data, row_nnz, <state_t*> scratch.x)


cdef inline bint predict_sample(
    const Plan* plan,
    const index_t* indices,
    const state_t* x,
    Py_ssize_t row_nnz,
    double length_sq,
    const double* y_true,
    double weight,
    const state_t* pairs,
    Totals* totals,
    Output* outputs,
    const Scratch* scratch,
    double* loss_sums,
) noexcept nogil:
    """Predict and score one sample, then let it move the scales of rows and targets.

    Returns whether its slopes and the losses are finite.
    """
    predict_row(plan, pairs, indices, x, row_nnz, outputs, scratch)
    cdef bint finite = score_sample(
        plan, y_true, weight, totals, outputs, scratch, loss_sums
    )
    if plan.running:
        observe_sample(plan, y_true, weight, length_sq, totals, outputs)
    totals.n_seen += 1.0
    return finite


cdef void find_rates(
    const Plan* plan, const Totals* totals, const Output* outputs, Rates* rates
) noexcept nogil:
    cdef Py_ssize_t o
    for o in range(plan.n_outputs):
        rates[o] = rates_of(plan, totals, &outputs[o])


cdef void fade(
    const Plan* plan, Totals* totals, Output* outputs, Py_ssize_t n_samples
) noexcept nogil:
    """Let the squared gradients of the past fade before so many samples are added."""
    cdef double kept = pow(1.0 - plan.decay, <double> n_samples)
    cdef Py_ssize_t o
    totals.inflation /= sqrt(kept)
    for o in range(plan.n_outputs):
        outputs[o].intercept_grad_sq_sum *= kept


cdef inline bint learn_row(
    const Plan* plan,
    const index_t* indices,
    const state_t* x,
    Py_ssize_t row_nnz,
    state_t* pairs,
    Totals* totals,
    Output* outputs,
    const double* alpha,
    const Scratch* scratch,
    const index_t* coming,
    Py_ssize_t coming_nnz,
) noexcept nogil:
    """Learn from the sample just predicted; False where a number is not finite."""
    if plan.running:
        find_rates(plan, totals, outputs, scratch.rates)
    if plan.decay > 0.0:
        fade(plan, totals, outputs, 1)
    cdef bint finite = step_features(
        plan, pairs, indices, x, row_nnz, outputs, totals.inflation, scratch, coming,
        coming_nnz,
    )
    cdef Py_ssize_t o
    for o in range(plan.n_outputs):
        settle_output(
            plan, &outputs[o], &scratch.rates[o], scratch.slopes[o], alpha + 2 * o,
            totals.inflation,
        )
    return finite


# ------------------------------------------------------------------------ mini-batches


cdef void average_gradients(
    const Plan* plan,
    const Active* active,
    double share,
    const state_t* column_max,
    const Totals* totals,
) noexcept nogil:
    """Make summed gradients mean ones, in the columns' units."""
    cdef bint scaled = plan.running and plan.scaling != SCALING_NONE
    cdef double factor = share
    cdef double* gradients = active.gradients + plan.n_outputs
    cdef Py_ssize_t k, o
    for k in range(active.length):
        if scaled:
            factor = share / column_unit(
                plan.scaling, column_max[active.columns[k + 1]], totals.column_limit
            )
        for o in range(plan.n_outputs):
            gradients[k * plan.n_outputs + o] *= factor


cdef bint step_as_row(
    const Plan* plan,
    const Active* active,
    const Rates* rates,
    const Output* outputs,
    state_t* pairs,
    const Scratch* scratch,
) noexcept nogil:
    """Step active features of one output as a row of their gradients, with slope 1."""
    cdef const int64_t* columns = active.columns + 1
    cdef state_t* x = <state_t*> active.x
    cdef Py_ssize_t k
    for k in range(active.length):
        x[k] = <state_t> active.gradients[k + 1]
    read_row(
        plan.variant, pairs, columns, x, active.length, <state_t*> scratch.own_read,
        outputs.eps, outputs.l1, outputs.l2,
    )
    return step_row(
        plan.variant, pairs, columns, x, active.length, <state_t*> scratch.own_read,
        1.0, rates.eta, columns, 0,
    )


cdef bint step_one_by_one(
    const Plan* plan,
    const Active* active,
    const Rates* rates,
    const Output* outputs,
    double inflation,
    state_t* pairs,
) noexcept nogil:
    """The same of several outputs, or where past gradients fade."""
    cdef Py_ssize_t n_outputs = plan.n_outputs
    cdef bint finite = True
    cdef const double* gradients
    cdef Py_ssize_t k, o
    cdef state_t* u
    cdef state_t* s
    for k in range(1, active.length + 1):
        gradients = active.gradients + k * n_outputs
        u = pairs + 2 * active.columns[k] * n_outputs
        if plan.decay > 0.0:
            finite &= step_fading(plan, u, gradients, rates, outputs, inflation)
            continue
        for o in range(n_outputs):
            s = u + n_outputs
            dual_step(
                u, s,
                read_weight(u[0], s[0], outputs[o].eps, outputs[o].l1, outputs[o].l2),
                gradients[o], rates[o].eta,
            )
            finite &= isfinite(u[0]) != 0
            u += 1
    return finite


cdef void add_row(
    const Plan* plan,
    const data_t* data,
    const index_t* indices,
    Py_ssize_t row_nnz,
    const Scratch* scratch,
    Active* active,
) noexcept nogil:
    """Add the gradients of the sample just predicted to its features'."""
    cdef Py_ssize_t n_outputs = plan.n_outputs
    cdef double* sums
    cdef Py_ssize_t k, o
    for o in range(n_outputs):
        scratch.slope_sums[o] += scratch.slopes[o]
    for k in range(row_nnz):
        sums = gradients_of(active, indices[k], n_outputs)
        for o in range(n_outputs):
            sums[o] += scratch.slopes[o] * data[k]


# ------------------------------------------------------------------------ entry points


def train(
    Settings settings,
    const data_t[::1] data,
    const index_t[::1] indices,
    const offset_t[::1] indptr,
    const data_t[::1] scaled,
    const int64_t[::1] scaled_starts,
    const double[:, ::1] y,
    const double[::1] sample_weight,
    const int64_t[::1] rows,
    Py_ssize_t start,
    Py_ssize_t stop,
    state_t[:, :, ::1] pairs,
    bint shared,
    state_t[::1] column_max,
    Totals[::1] totals,
    Output[::1] outputs,
    int64_t[::1] bins,
    state_t[::1] log_pairs,
    state_t[::1] log_max,
    uint32_t[::1] place_of,
    const double[:, ::1] alpha,
    double[:, ::1] loss_sums,
):
    """Learn from places ``start`` to ``stop`` of ``rows`` (empty: rows in sequence).

    Parameters
    ----------
    settings : Settings
    data, indices, indptr : the CSR arrays
    scaled : ndarray of shape (n_scaled,), dtype of ``data``
        Rows in their columns' units, which take the place of those in ``data``.
    scaled_starts : ndarray of shape (n_samples,) or (0,), int64
        Where each of these rows starts; -1 of a row that is in ``data``. Empty: all.
    y : ndarray of shape (n_samples, n_outputs), float64
    sample_weight : ndarray of shape (n_samples,) or (0,), float64
        Empty: all 1. Never 0 for a row that is visited.
    rows : ndarray of shape (n_visited,) or (0,), int64
    pairs : ndarray of shape (n_features, 2, n_outputs)
        Every feature's u, then its s, an output each; updated.
    shared : bool
        Whether other threads update them meanwhile.
    column_max : ndarray of shape (n_features,) or (0,)
        Largest |x| by column; updated while the scales run.
    totals, outputs : records of shape (1,) and (n_outputs,); updated
    bins : ndarray of shape (N_BINS,), int64; updated
    log_pairs, log_max : ndarrays of shape (>= log_size,) and (>= nnz,)
        What the rows' columns were before, for `undo.restore`; written. Empty, where
        nothing is kept, and ``log_max`` where the scales do not run.
    place_of : ndarray of shape (n_features,) or (0,), uint32
        Zeros, and zeros again in the end; empty where a batch is one row.
    alpha : ndarray of shape (n_outputs, 2), float64
        L1 and L2 penalty of one update.
    loss_sums : ndarray of shape (n_outputs, 2), float64
        Weighted sums of the progressive loss and of the untrained model's; updated.

    Returns
    -------
    failed : int
        The row at which a number was no longer finite, or -1.
    """
    cdef Py_ssize_t n_outputs = outputs.shape[0]
    cdef Plan plan = plan_of(settings, &totals[0], n_outputs)
    cdef Py_ssize_t batch_size = min(settings.batch_size, stop - start)
    cdef bint sequential = rows.shape[0] == 0
    cdef Py_ssize_t largest_batch = 0
    cdef Py_ssize_t failed = -1
    cdef Py_ssize_t r, i, nnz, length, ahead, coming_nnz
    cdef const index_t* coming = NULL
    cdef Py_ssize_t batch_nnz = 0
    cdef double weight
    cdef double length_sq = 0.0  # of a stream's row
    cdef bint finite
    cdef Active active
    if start >= stop or n_outputs == 0:
        return -1
    cdef Py_ssize_t n_entries = indptr[indptr.shape[0] - 1]
    cdef Py_ssize_t log_size = log_place(n_entries, indptr.shape[0] - 1, n_outputs)
    # A row is kept at a place of its own, without a look whether there is one.
    if 0 < log_pairs.shape[0] < log_size or 0 < log_max.shape[0] < n_entries:
        raise ValueError("the log has no room for all entries")
    cdef Scratch scratch
    cdef bint ready = make_output_scratch(&scratch, n_outputs, sizeof(state_t))
    active.length = 0
    active.columns = NULL
    active.gradients = NULL
    active.x = NULL
    if batch_size > 1:
        for r in range(start, stop):
            i = r if sequential else rows[r]
            nnz = indptr[i + 1] - indptr[i]
            batch_nnz = nnz if (r - start) % batch_size == 0 else batch_nnz + nnz
            largest_batch = max(largest_batch, batch_nnz)
        largest_batch = min(largest_batch, pairs.shape[0])
        ready = (
            ready and place_of.shape[0] >= pairs.shape[0]
            and make_row_scratch(&scratch, largest_batch, n_outputs, sizeof(state_t))
            and make_active(
                &active, &place_of[0] if place_of.shape[0] else NULL, largest_batch,
                n_outputs, sizeof(state_t),
            )
        )

    cdef Py_ssize_t mean_nnz = indptr[indptr.shape[0] - 1] // (indptr.shape[0] - 1)
    cdef Py_ssize_t pairs_ahead = max(
        1, min((ENTRIES_AHEAD + mean_nnz // 2) // max(1, mean_nnz), MOST_ROWS_AHEAD)
    )
    cdef Py_ssize_t state_bytes = pairs.shape[0] * 2 * n_outputs * sizeof(state_t)
    cdef bint near = state_bytes <= NEAR_BYTES[shared]
    cdef const data_t* data_start = &data[0] if data.shape[0] else NULL
    cdef const index_t* indices_start = &indices[0] if indices.shape[0] else NULL
    cdef state_t* pairs_start = &pairs[0, 0, 0] if pairs.shape[0] else NULL
    cdef state_t* column_start = &column_max[0] if column_max.shape[0] else NULL
    cdef const data_t* scaled_start = &scaled[0] if scaled.shape[0] else NULL
    cdef const int64_t* starts = &scaled_starts[0] if scaled_starts.shape[0] else NULL
    cdef const data_t* values
    cdef const state_t* x
    cdef state_t* log_start = &log_pairs[0] if log_pairs.shape[0] else NULL
    cdef state_t* kept
    cdef state_t* log_max_start = &log_max[0] if log_max.shape[0] else NULL
    try:
        with nogil:
            # These stay what they are, except in a stream.
            if ready:
                find_rates(&plan, &totals[0], &outputs[0], scratch.rates)
            for r in range(start, stop):
                if r + 4 * pairs_ahead < stop and not sequential:
                    i = rows[r + 4 * pairs_ahead]
                    sa_prefetch_early(&indptr[i])
                    if starts != NULL:
                        sa_prefetch_early(starts + i)
                if r + 2 * pairs_ahead < stop:
                    i = r + 2 * pairs_ahead if sequential else rows[r + 2 * pairs_ahead]
                    fetch_entries(
                        row_start(data_start, indptr[i], scaled_start, starts, i),
                        indices_start + indptr[i], indptr[i + 1] - indptr[i],
                    )
                    sa_prefetch_early(&y[i, 0])
                i = r if sequential else rows[r]
                nnz = indptr[i + 1] - indptr[i]
                if nnz > scratch.capacity and ready:
                    ready = make_row_scratch(&scratch, nnz, n_outputs, sizeof(state_t))
                if not ready:
                    break
                weight = sample_weight[i] if sample_weight.shape[0] else 1.0
                values = row_start(data_start, indptr[i], scaled_start, starts, i)
                if log_start != NULL:
                    kept = log_start + log_place(indptr[i], i, n_outputs)
                    if n_outputs == 1:
                        scratch.read = kept
                    else:
                        log_outputs(
                            kept, pairs_start, indices_start + indptr[i], nnz,
                            n_outputs,
                        )
                x = take_sample(
                    &plan, values, indices_start + indptr[i], nnz, column_start,
                    &totals[0], &bins[0],
                    NULL if log_max_start == NULL else log_max_start + indptr[i],
                    &scratch, &length_sq,
                )
                finite = predict_sample(
                    &plan, indices_start + indptr[i], x, nnz, length_sq, &y[i, 0],
                    weight, pairs_start, &totals[0], &outputs[0], &scratch,
                    &loss_sums[0, 0],
                )
                coming_nnz = 0
                if not near and r + pairs_ahead < stop:
                    ahead = r + pairs_ahead if sequential else rows[r + pairs_ahead]
                    coming = indices_start + indptr[ahead]
                    coming_nnz = indptr[ahead + 1] - indptr[ahead]
                    if plan.running and plan.scaling != SCALING_NONE:
                        fetch_maxima(column_start, coming, coming_nnz)
                if batch_size == 1:
                    finite &= learn_row(
                        &plan, indices_start + indptr[i], x, nnz, pairs_start,
                        &totals[0], &outputs[0], &alpha[0, 0], &scratch, coming,
                        coming_nnz,
                    )
                else:
                    fetch_pairs(pairs_start, coming, coming_nnz, n_outputs)
                    add_row(
                        &plan, values, indices_start + indptr[i], nnz, &scratch,
                        &active,
                    )
                    length = (r - start) % batch_size + 1
                    if length < batch_size and r + 1 < stop:
                        continue
                    finite &= step_batch(
                        &plan, &active, length, pairs_start, column_start, &totals[0],
                        &outputs[0], &alpha[0, 0], &scratch,
                    )
                if not finite:
                    failed = i
                    break
    finally:
        free_scratch(&scratch)
        free_active(&active, n_outputs)
    if not ready:
        raise MemoryError("no memory for the scratch rows of the kernel")
    return failed


cdef bint step_batch(
    const Plan* plan,
    Active* active,
    Py_ssize_t length,
    state_t* pairs,
    const state_t* column_max,
    Totals* totals,
    Output* outputs,
    const double* alpha,
    const Scratch* scratch,
) noexcept nogil:
    """One update by the mean gradient of ``length`` rows."""
    cdef double share = 1.0 / length
    cdef Rates* rates = scratch.rates
    cdef double* slope_sums = scratch.slope_sums
    cdef bint finite
    cdef Py_ssize_t o
    find_rates(plan, totals, outputs, rates)
    if plan.decay > 0.0:
        fade(plan, totals, outputs, length)
    average_gradients(plan, active, share, column_max, totals)
    if plan.n_outputs == 1 and plan.decay == 0.0:
        finite = step_as_row(plan, active, rates, outputs, pairs, scratch)
    else:
        finite = step_one_by_one(
            plan, active, rates, outputs, totals.inflation, pairs
        )
    clear_active(active, plan.n_outputs)
    for o in range(plan.n_outputs):
        finite &= isfinite(slope_sums[o]) != 0
        settle_output(
            plan, &outputs[o], &rates[o], slope_sums[o] * share, alpha + 2 * o,
            totals.inflation,
        )
        slope_sums[o] = 0.0
    return finite


def start_at_mean(Settings settings, Output[::1] outputs):
    """Let every output start at its target's mean, where the settings ask for it."""
    cdef Py_ssize_t o
    if not (settings.scaled and settings.fit_intercept):
        return
    for o in range(outputs.shape[0]):
        outputs[o].base = link(settings.loss, outputs[o].y_mean)


def learning_pace(
    Settings settings, const Totals[::1] totals, const Output[::1] outputs
):
    """Rates times the loss's typical curvature, float64, shape (2, n_outputs).

    A step at s takes this over s of its error, from a feature of |x| = 1 and from the
    intercept.
    """
    cdef Plan plan = plan_of(settings, &totals[0], outputs.shape[0])
    cdef Py_ssize_t o
    cdef Rates unit, rates
    cdef double curvature
    out = np.zeros((2, outputs.shape[0]))
    for o in range(outputs.shape[0]):
        unit = scaled_rates(
            &totals[0], &outputs[o], settings.loss, 1.0, 1.0, settings.fit_intercept
        )
        rates = rates_of(&plan, &totals[0], &outputs[o])
        if unit.intercept_eta > 0.0:
            curvature = unit.intercept_eps / unit.intercept_eta
            out[0, o] = rates.eta * curvature
            out[1, o] = rates.intercept_eta * curvature
    return out


def least_addend(
    Settings settings,
    const Totals[::1] totals,
    const Output[::1] outputs,
    double weight,
):
    """Smallest of what rows typically add to u (eta g) and to s^2 (g^2), over outputs.

    ``weight`` is a row's. Infinite where nothing is known of them, as at a constant
    rate, and where there is nothing to be learned. NaN where the scales overflow.
    """
    cdef double least = INFINITY
    cdef double gradient
    cdef Rates unit
    cdef Py_ssize_t o
    if not settings.scaled:
        return least
    for o in range(outputs.shape[0]):
        if not (isfinite(totals[0].row_sq_sum) and isfinite(outputs[o].y_sq_sum)):
            return NAN
        unit = scaled_rates(
            &totals[0], &outputs[o], settings.loss, 1.0, 1.0, settings.fit_intercept
        )
        if unit.eta > 0.0:
            gradient = weight * unit.eps
            least = min(least, gradient * min(gradient, settings.eta0 * unit.eta))
    return least


def deflate(
    state_t[:, :, ::1] pairs,
    Totals[::1] totals,
    Output[::1] outputs,
    double factor,
    double least_root,
):
    """Multiply all that is inflated by a factor, in one call that no signal cuts.

    A pair whose root is not above ``least_root`` stays: it is as good as nothing beside
    eps, and its weight is kept.
    """
    cdef Py_ssize_t j, o
    with nogil:
        for j in range(pairs.shape[0]):
            for o in range(pairs.shape[2]):
                if pairs[j, 1, o] > least_root:
                    pairs[j, 0, o] *= <state_t> factor
                    pairs[j, 1, o] *= <state_t> factor
        totals[0].inflation *= factor
        for o in range(outputs.shape[0]):
            outputs[o].l1 *= factor
            outputs[o].l2 *= factor


def ridge_alpha(Settings settings, const Totals[::1] totals, const Output[::1] outputs):
    """Penalty of an epoch that asks of the weights what `Ridge(alpha=1)` does.

    `Ridge` is meant on rows of length 1 and a target of spread 1. In the user's units
    that is rms(|x|_2)^2 times the curvature, the gradient's unit over the raw
    prediction's. Returns float64, shape (n_outputs,).
    """
    cdef Py_ssize_t o
    cdef Rates rates
    cdef double length = row_length(&totals[0])
    out = np.zeros(outputs.shape[0])
    for o in range(outputs.shape[0]):
        rates = scaled_rates(
            &totals[0], &outputs[o], settings.loss, 1.0, 1.0, settings.fit_intercept
        )
        if rates.intercept_eta > 0.0:
            out[o] = length * length * rates.intercept_eps / rates.intercept_eta
    return out
