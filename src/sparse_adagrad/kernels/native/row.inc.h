/* The row: read the weights of its active features, then step them.
 *
 * Included once per variant, number and index type. A block of LANES entries goes from
 * the features' places in memory to registers and back; LOCAL(name) names the vector
 * functions (vectors/), ROW(name) the functions here, NUMBER, PAIR and INDEX the types.
 *
 * While a row is stepped, the features of a row to come are asked for, a few after each
 * block: all at once would fill the few buffers for lines on their way, and what is
 * behind them would wait.
 */

/* Ask for the features of entries `from` to `to` of a row to come, if there are any. */
static inline void ROW(fetch)(
    const void *features, ptrdiff_t size, const INDEX *coming, ptrdiff_t coming_nnz,
    ptrdiff_t from, ptrdiff_t to)
{
    const ptrdiff_t stop = to < coming_nnz ? to : coming_nnz;
    for (ptrdiff_t k = from; k < stop; k++)
        sa_prefetch_feature(features, size, coming[k]);
}

/* The place of entry t of a block, and of one that is cut off: its first stands for
 * all that are missing. */
#define WHOLE(t) (pairs + block[t])
#define CUT(t) (pairs + block[(t) < count ? (t) : 0])

/* Read the weights into `read`, blocks of (u, s, w); return their product with x. */
static double ROW(sa_read_row)(
    const PAIR *pairs, const INDEX *indices, const NUMBER *x, ptrdiff_t row_nnz,
    NUMBER *restrict read, double eps_, double l1_, double l2_)
{
    const LOCAL(vec) eps = LOCAL(spread)((NUMBER)eps_);
    const LOCAL(vec) l1 = LOCAL(spread)((NUMBER)l1_), l2 = LOCAL(spread)((NUMBER)l2_);
    LOCAL(vec) sum = LOCAL(spread)(0);
    for (ptrdiff_t k = 0; k < row_nnz; k += LANES, read += 3 * LANES) {
        const INDEX *block = indices + k;
        const ptrdiff_t count = row_nnz - k;
        LOCAL(vec) u, s, w;
        if (count >= LANES) {
            GATHER(u, s, WHOLE);
        }
        else {
            GATHER(u, s, CUT);
        }
        w = LOCAL(read_weights)(u, s, eps, l1, l2);
        sum = LOCAL(add_product)(w, LOCAL(load)(x + k, count), sum);
        LOCAL(store)(read, u, LANES);
        LOCAL(store)(read + LANES, s, LANES);
        LOCAL(store)(read + 2 * LANES, w, LANES);
    }
    return LOCAL(total)(sum);
}

/* Step the features that were read; return whether every number stayed finite. */
static int ROW(sa_step_row)(
    PAIR *pairs, const INDEX *indices, const NUMBER *x, ptrdiff_t row_nnz,
    const NUMBER *restrict read, double gradient, double eta_, const INDEX *coming,
    ptrdiff_t coming_nnz)
{
    const LOCAL(vec) g = LOCAL(spread)((NUMBER)gradient);
    const LOCAL(vec) eta = LOCAL(spread)((NUMBER)eta_), zero = LOCAL(spread)(0);
    /* 0 for finite numbers, NaN for any other. */
    LOCAL(vec) blemish = zero;
    ptrdiff_t k = 0;
    for (; k < row_nnz; k += LANES, read += 3 * LANES) {
        const INDEX *block = indices + k;
        const ptrdiff_t count = row_nnz - k;
        LOCAL(vec) u = LOCAL(load)(read, LANES), s = LOCAL(load)(read + LANES, LANES);
        LOCAL(dual_steps)(&u, &s, LOCAL(load)(read + 2 * LANES, LANES),
                          LOCAL(times)(g, LOCAL(load)(x + k, count)), eta);
        blemish = LOCAL(add_product)(u, zero, blemish);
        if (count >= LANES) {
            SCATTER(u, s, WHOLE);
        }
        else {
            PAIR stepped[LANES];
#define STEPPED(t) (stepped + (t))
            SCATTER(u, s, STEPPED);
#undef STEPPED
            for (ptrdiff_t t = 0; t < count; t++)
                pairs[block[t]] = stepped[t];
        }
        ROW(fetch)(pairs, sizeof(PAIR), coming, coming_nnz, k, k + LANES);
    }
    ROW(fetch)(pairs, sizeof(PAIR), coming, coming_nnz, k, coming_nnz);
    return LOCAL(total)(blemish) == 0;
}

#undef WHOLE
#undef CUT

/* The same for several outputs, which go through the registers side by side. A feature
 * has its outputs' u, then their s; eps, l1, l2, raw_prediction, gradients and eta have
 * a number an output. `read` holds the weights.
 *
 * s is stored before u: another thread that reads in between sees a weight that is too
 * small, not one over a root that is still 0.
 */

/* Features whose outputs fill at most half a register share one. An odd row's last
 * feature is its own second half, with x = 0 when read, and is stored once. */
#define OTHER(k) ((k) + 1 < row_nnz ? (k) + 1 : (k))
#define X_OF_OTHER(k) ((k) + 1 < row_nnz ? x[(k) + 1] : 0)

static SA_INLINE void ROW(read_two_by_two)(
    const NUMBER *state, const INDEX *indices, const NUMBER *x, ptrdiff_t row_nnz,
    ptrdiff_t n_outputs, NUMBER *restrict read, const NUMBER *eps_, const NUMBER *l1_,
    const NUMBER *l2_, NUMBER *restrict raw_prediction)
{
    LOCAL(vec) eps = LOCAL(spread)(1);
    const LOCAL(vec) l1 = LOCAL(load_halves)(l1_, l1_, n_outputs);
    const LOCAL(vec) l2 = LOCAL(load_halves)(l2_, l2_, n_outputs);
    LOCAL(vec) sum = LOCAL(spread)(0);
    NUMBER sums[LANES];
    /* 1 where there is no output: the weight there is 0 / 1. */
    LOCAL(store)(sums, eps, LANES);
    for (ptrdiff_t o = 0; o < n_outputs; o++)
        sums[o] = sums[LANES / 2 + o] = eps_[o];
    eps = LOCAL(load)(sums, LANES);
    for (ptrdiff_t k = 0; k < row_nnz; k += 2, read += LANES) {
        const NUMBER *a = state + 2 * n_outputs * indices[k];
        const NUMBER *b = state + 2 * n_outputs * indices[OTHER(k)];
        LOCAL(vec) w = LOCAL(read_weights)(
            LOCAL(load_halves)(a, b, n_outputs),
            LOCAL(load_halves)(a + n_outputs, b + n_outputs, n_outputs), eps, l1, l2);
        sum = LOCAL(add_product)(w, LOCAL(spread_halves)(x[k], X_OF_OTHER(k)), sum);
        LOCAL(store)(read, w, LANES);
    }
    LOCAL(store)(sums, sum, LANES);
    for (ptrdiff_t o = 0; o < n_outputs; o++)
        raw_prediction[o] = sums[o] + sums[LANES / 2 + o];
}

static SA_INLINE int ROW(step_two_by_two)(
    NUMBER *state, const INDEX *indices, const NUMBER *x, ptrdiff_t row_nnz,
    ptrdiff_t n_outputs, const NUMBER *restrict read, const NUMBER *gradients,
    const NUMBER *eta_, const INDEX *coming, ptrdiff_t coming_nnz)
{
    const LOCAL(vec) g = LOCAL(load_halves)(gradients, gradients, n_outputs);
    const LOCAL(vec) eta = LOCAL(load_halves)(eta_, eta_, n_outputs);
    const LOCAL(vec) zero = LOCAL(spread)(0);
    const ptrdiff_t size = 2 * n_outputs * (ptrdiff_t)sizeof(NUMBER);
    LOCAL(vec) blemish = zero;
    ptrdiff_t k = 0;
    for (; k < row_nnz; k += 2, read += LANES) {
        NUMBER *a = state + 2 * n_outputs * indices[k];
        NUMBER *b = state + 2 * n_outputs * indices[OTHER(k)];
        LOCAL(vec) u = LOCAL(load_halves)(a, b, n_outputs);
        LOCAL(vec) s = LOCAL(load_halves)(a + n_outputs, b + n_outputs, n_outputs);
        /* Both halves of a last feature step alike. */
        LOCAL(vec) both = LOCAL(spread_halves)(x[k], x[OTHER(k)]);
        LOCAL(dual_steps)(&u, &s, LOCAL(load)(read, LANES), LOCAL(times)(g, both), eta);
        blemish = LOCAL(add_product)(u, zero, blemish);
        LOCAL(store_halves)(a + n_outputs, b + n_outputs, s, n_outputs);
        LOCAL(store_halves)(a, b, u, n_outputs);
        ROW(fetch)(state, size, coming, coming_nnz, k, k + 2);
    }
    ROW(fetch)(state, size, coming, coming_nnz, k, coming_nnz);
    return LOCAL(total)(blemish) == 0;
}

#undef OTHER
#undef X_OF_OTHER

static void ROW(sa_read_outputs)(
    const NUMBER *state, const INDEX *indices, const NUMBER *x, ptrdiff_t row_nnz,
    ptrdiff_t n_outputs, NUMBER *restrict read, const NUMBER *eps, const NUMBER *l1,
    const NUMBER *l2, NUMBER *restrict raw_prediction)
{
    /* A number that the compiler knows makes the better half of the loop's code. */
    if (2 * n_outputs == LANES) {
        ROW(read_two_by_two)(state, indices, x, row_nnz, LANES / 2, read, eps, l1, l2,
                             raw_prediction);
        return;
    }
    if (2 * n_outputs < LANES) {
        ROW(read_two_by_two)(state, indices, x, row_nnz, n_outputs, read, eps, l1, l2,
                             raw_prediction);
        return;
    }
    for (ptrdiff_t o = 0; o < n_outputs; o += LANES) {
        const ptrdiff_t count = n_outputs - o;
        const LOCAL(vec) eps_o = LOCAL(load)(eps + o, count);
        const LOCAL(vec) l1_o = LOCAL(load)(l1 + o, count);
        const LOCAL(vec) l2_o = LOCAL(load)(l2 + o, count);
        LOCAL(vec) sum = LOCAL(spread)(0);
        for (ptrdiff_t k = 0; k < row_nnz; k++) {
            const NUMBER *u = state + 2 * n_outputs * indices[k] + o;
            LOCAL(vec) w = LOCAL(read_weights)(
                LOCAL(load)(u, count), LOCAL(load)(u + n_outputs, count), eps_o, l1_o,
                l2_o);
            sum = LOCAL(add_product)(w, LOCAL(spread)(x[k]), sum);
            LOCAL(store)(read + n_outputs * k + o, w, count);
        }
        LOCAL(store)(raw_prediction + o, sum, count);
    }
}

static int ROW(sa_step_outputs)(
    NUMBER *state, const INDEX *indices, const NUMBER *x, ptrdiff_t row_nnz,
    ptrdiff_t n_outputs, const NUMBER *restrict read, const NUMBER *gradients,
    const NUMBER *eta, const INDEX *coming, ptrdiff_t coming_nnz)
{
    const LOCAL(vec) zero = LOCAL(spread)(0);
    const ptrdiff_t size = 2 * n_outputs * (ptrdiff_t)sizeof(NUMBER);
    LOCAL(vec) blemish = zero;
    if (2 * n_outputs == LANES)
        return ROW(step_two_by_two)(state, indices, x, row_nnz, LANES / 2, read,
                                    gradients, eta, coming, coming_nnz);
    if (2 * n_outputs < LANES)
        return ROW(step_two_by_two)(state, indices, x, row_nnz, n_outputs, read,
                                    gradients, eta, coming, coming_nnz);
    for (ptrdiff_t o = 0; o < n_outputs; o += LANES) {
        const ptrdiff_t count = n_outputs - o;
        const LOCAL(vec) g = LOCAL(load)(gradients + o, count);
        const LOCAL(vec) eta_o = LOCAL(load)(eta + o, count);
        for (ptrdiff_t k = 0; k < row_nnz; k++) {
            NUMBER *u_o = state + 2 * n_outputs * indices[k] + o, *s_o = u_o + n_outputs;
            LOCAL(vec) u = LOCAL(load)(u_o, count), s = LOCAL(load)(s_o, count);
            LOCAL(dual_steps)(&u, &s, LOCAL(load)(read + n_outputs * k + o, count),
                              LOCAL(times)(g, LOCAL(spread)(x[k])), eta_o);
            blemish = LOCAL(add_product)(u, zero, blemish);
            LOCAL(store)(s_o, s, count);
            LOCAL(store)(u_o, u, count);
            if (o == 0)
                ROW(fetch)(state, size, coming, coming_nnz, k, k + 1);
        }
    }
    ROW(fetch)(state, size, coming, coming_nnz, row_nnz, coming_nnz);
    return LOCAL(total)(blemish) == 0;
}
