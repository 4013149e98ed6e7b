/* The row: read the weights of its active features, then step them.
 *
 * Included once per variant, number and index type. A block of LANES entries goes from
 * the features' places in memory to registers and back; LOCAL(name) names the vector
 * functions (vectors/), ROW(name) the functions here, NUMBER, PAIR and INDEX the types.
 */

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
    const NUMBER *restrict read, double gradient, double eta_)
{
    const LOCAL(vec) g = LOCAL(spread)((NUMBER)gradient);
    const LOCAL(vec) eta = LOCAL(spread)((NUMBER)eta_), zero = LOCAL(spread)(0);
    /* 0 for finite numbers, NaN for any other. */
    LOCAL(vec) blemish = zero;
    for (ptrdiff_t k = 0; k < row_nnz; k += LANES, read += 3 * LANES) {
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
    }
    return LOCAL(total)(blemish) == 0;
}

#undef WHOLE
#undef CUT

/* The same for several outputs, which go through the registers side by side. A feature
 * has its outputs' u, then their s; eps, l1, l2, raw_prediction, gradients and eta have
 * a number an output. `read` holds the weights, a feature after the other. */
static void ROW(sa_read_outputs)(
    const NUMBER *state, const INDEX *indices, const NUMBER *x, ptrdiff_t row_nnz,
    ptrdiff_t n_outputs, NUMBER *restrict read, const NUMBER *eps, const NUMBER *l1,
    const NUMBER *l2, NUMBER *restrict raw_prediction)
{
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
    const NUMBER *eta)
{
    const LOCAL(vec) zero = LOCAL(spread)(0);
    LOCAL(vec) blemish = zero;
    for (ptrdiff_t o = 0; o < n_outputs; o += LANES) {
        const ptrdiff_t count = n_outputs - o;
        const LOCAL(vec) g = LOCAL(load)(gradients + o, count);
        const LOCAL(vec) eta_o = LOCAL(load)(eta + o, count);
        for (ptrdiff_t k = 0; k < row_nnz; k++) {
            NUMBER *at = state + 2 * n_outputs * indices[k] + o;
            LOCAL(vec) u = LOCAL(load)(at, count);
            LOCAL(vec) s = LOCAL(load)(at + n_outputs, count);
            LOCAL(dual_steps)(&u, &s, LOCAL(load)(read + n_outputs * k + o, count),
                              LOCAL(times)(g, LOCAL(spread)(x[k])), eta_o);
            blemish = LOCAL(add_product)(u, zero, blemish);
            LOCAL(store)(at, u, count);
            LOCAL(store)(at + n_outputs, s, count);
        }
    }
    return LOCAL(total)(blemish) == 0;
}
