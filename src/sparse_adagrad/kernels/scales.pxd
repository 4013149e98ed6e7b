"""Scales of the target, of the rows and of outlying columns.

(a) eta = eta0 * std(y) / rms(|x|_2): AdaGrad's step does not depend on the size of
    the gradient, so the rate itself must carry the unit of y over x.
(b) A column whose largest |x|, N_j, exceeds the limit m (twice the median of N over
    all entries) is measured in units of N_j / m. Its weight is stored in that unit;
    when N_j or m moves, the stored weight is kept.
(c) In a stream all of these run sample by sample, so that cutting it into other
    batches changes nothing. The median comes from a histogram of log2 N over the
    entries of some rows: of all early ones, then of every 16th, and of every 64th once
    they are many.
(d) ``Totals`` and ``Output`` are the model's scalars. The estimator owns them as
    NumPy records with these very fields (``TOTALS_DTYPE``, ``OUTPUT_DTYPE``).
"""

from libc.math cimport exp2, fabs, sqrt
from libc.stdint cimport int64_t, uint64_t
from libc.string cimport memcpy

from sparse_adagrad.kernels.losses cimport (
    Loss,
    gradient_unit,
    link,
    raw_unit,
)

ctypedef fused data_t:
    float
    double

ctypedef fused index_t:
    int
    int64_t

ctypedef fused offset_t:
    int
    int64_t


cdef enum Scaling:
    SCALING_NONE = 0
    SCALING_AUTO = 1
    SCALING_MAX_ABS = 2

cdef enum:
    N_BINS = 1024  # of the histogram of column maxima
    BINS_PER_OCTAVE = 8
    BIN_GROUPS = 32  # that are passed over as one
    EARLY_ROWS = 256  # all of these are counted in the histogram,
    ROW_STRIDE = 16  # then one in so many,
    LATE_ROWS = 4096  # and after these
    LATE_STRIDE = 64  # one in so many, for as many as would have been before


cdef struct Totals:
    double n_seen  # samples learned from
    double weight_sum  # their weights
    double row_sq_sum  # weighted sum of squared lengths of the scaled rows
    double column_limit  # m; 0 while nothing is known
    double column_reference  # |x| at the middle of the histogram
    double column_scaling  # a Scaling: how the stored weights are measured
    double inflation  # of what u, s, l1 and l2 are given; 0 where nothing fades


cdef struct Output:
    double intercept  # on top of base
    double intercept_grad_sq_sum
    double base  # raw prediction of an untrained model
    double y_mean  # weighted, over the samples seen
    double y_sq_sum  # weighted sum of squared deviations from y_mean
    double l1  # penalties so far, each times the rate of its update
    double l2
    double eps  # stabiliser in the unit of the gradient, as of the last update
    double baseline_loss_sum  # weighted loss of an untrained model in the stream
    double strength  # of the automatic penalty, in that of Ridge(alpha=1); 0: unknown


cdef struct Rates:
    double eta
    double eps
    double intercept_eta
    double intercept_eps


cdef inline double column_unit(
    Scaling scaling, double column_max, double column_limit
) noexcept nogil:
    """What one unit of a column's stored weight means in the user's units."""
    if scaling == SCALING_MAX_ABS:
        return column_max if column_max > 0.0 else 1.0
    if scaling == SCALING_AUTO and column_limit > 0.0 and column_max > column_limit:
        return column_max / column_limit
    return 1.0


cdef inline uint64_t bits_of(double value) noexcept nogil:
    """Numbers that are not negative are in the order of their bits."""
    cdef uint64_t bits
    memcpy(&bits, &value, sizeof(double))
    return bits


cdef inline Py_ssize_t bin_of(double column_max, double reference) noexcept nogil:
    """Place of a positive number in the histogram, floor(8 log2) from the middle."""
    # Fractions of 2^(1/8) to 2^(7/8), rounded up: a logarithm takes ten times as long.
    cdef uint64_t[7] eighths = [
        0x172B83C7D517BULL, 0x306FE0A31B716ULL, 0x4BFDAD5362A28ULL, 0x6A09E667F3BCDULL,
        0x8ACE5422AA0DCULL, 0xAE89F995AD3AEULL, 0xD5818DCFBA488ULL,
    ]
    cdef uint64_t bits = bits_of(column_max / reference)
    cdef uint64_t fraction = bits & 0xFFFFFFFFFFFFFULL
    cdef Py_ssize_t position = BINS_PER_OCTAVE * (<Py_ssize_t> (bits >> 52) - 1023)
    cdef Py_ssize_t t
    for t in range(7):
        position += fraction >= eighths[t]
    return max(<Py_ssize_t> 0, min(<Py_ssize_t> N_BINS - 1, position + N_BINS // 2))


cdef inline bint is_beyond(double column_max, double reference) noexcept nogil:
    """Whether a size is too large for the histogram."""
    return column_max / reference >= exp2(N_BINS // 2 / BINS_PER_OCTAVE)


cdef inline double twice_median(
    const int64_t* bins, double reference
) noexcept nogil:
    """Twice the weighted median of the histogram, 0 where it is empty."""
    cdef int64_t[BIN_GROUPS] sums
    cdef int64_t total = 0
    cdef int64_t below = 0
    cdef Py_ssize_t size = N_BINS // BIN_GROUPS
    cdef Py_ssize_t g, b, t
    for g in range(BIN_GROUPS):
        sums[g] = 0
        for t in range(size):
            sums[g] += bins[g * size + t]
        total += sums[g]
    if total == 0:
        return 0.0
    g = 0
    while 2 * (below + sums[g]) < total:
        below += sums[g]
        g += 1
    b = g * size
    while 2 * (below + bins[b]) < total:
        below += bins[b]
        b += 1
    return 2.0 * reference * exp2((b - N_BINS // 2 + 0.5) / BINS_PER_OCTAVE)


cdef inline void observe_target(
    Output* output, double y_true, double weight, double weight_sum
) noexcept nogil:
    """Welford's step (West 1979 for weights); ``weight_sum`` includes this sample."""
    cdef double deviation = y_true - output.y_mean
    output.y_mean += deviation * (weight / weight_sum)
    output.y_sq_sum += weight * deviation * (y_true - output.y_mean)


cdef inline double target_spread(
    const Output* output, double weight_sum, bint fit_intercept
) noexcept nogil:
    """Weighted standard deviation; about 0 for a model that has to start there."""
    if weight_sum <= 0.0:
        return 0.0
    cdef double variance = output.y_sq_sum / weight_sum
    # Targets that differ by a rounding, about half a unit in the last place, are
    # constant.
    if variance <= 1e-31 * output.y_mean * output.y_mean:
        variance = 0.0
    if not fit_intercept:
        variance += output.y_mean * output.y_mean
    return sqrt(variance)


cdef inline double row_length(const Totals* totals) noexcept nogil:
    """Root mean square of the scaled rows' lengths; 0 while nothing is known."""
    if totals.weight_sum <= 0.0:
        return 0.0
    return sqrt(totals.row_sq_sum / totals.weight_sum)


cdef inline Rates scaled_rates(
    const Totals* totals,
    const Output* output,
    Loss loss,
    double eta0,
    double eps,
    bint fit_intercept,
) noexcept nogil:
    """Rates and stabilisers in the units of y and x that have been seen."""
    cdef double spread = target_spread(output, totals.weight_sum, fit_intercept)
    cdef double length = row_length(totals)
    cdef double unit = gradient_unit(loss, output.y_mean, spread)
    cdef Rates rates
    rates.intercept_eta = eta0 * raw_unit(loss, spread)
    rates.eta = rates.intercept_eta / length if length > 0.0 else 0.0
    # Where there is no unit yet there is no gradient either; any eps above 0 will do.
    rates.intercept_eps = eps * unit if unit > 0.0 else eps
    rates.eps = rates.intercept_eps * length if length > 0.0 else eps
    return rates
