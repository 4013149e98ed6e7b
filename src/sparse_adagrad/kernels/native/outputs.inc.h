/* The row for several outputs, which go through the registers side by side: read the
 * weights of its active features, then step them.
 *
 * Included once per variant, number and index type, as row.inc.h is. A feature has its
 * outputs' u, then their s; eps, l1, l2, raw_prediction, gradients and eta have a number
 * an output. `read` holds the weights.
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
    for (ptrdiff_t k = 0; k < row_nnz; k += 2, read += LANES) {
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
        if (k % SA_BLOCK == 0)
            ROW(fetch)(state, size, coming, coming_nnz, k, k + SA_BLOCK);
    }
    ROW(fetch)(state, size, coming, coming_nnz, sa_in_blocks(row_nnz), coming_nnz);
    return LOCAL(total)(blemish) == 0;
}

#undef OTHER
#undef X_OF_OTHER

/* Where outputs fill half a register, in functions of their own: a number that the
 * compiler knows makes half of the loop's code, which it would share with others. */
static SA_APART void ROW(read_halves)(
    const NUMBER *state, const INDEX *indices, const NUMBER *x, ptrdiff_t row_nnz,
    NUMBER *restrict read, const NUMBER *eps, const NUMBER *l1, const NUMBER *l2,
    NUMBER *restrict raw_prediction)
{
    ROW(read_two_by_two)(state, indices, x, row_nnz, LANES / 2, read, eps, l1, l2,
                         raw_prediction);
}

static SA_APART int ROW(step_halves)(
    NUMBER *state, const INDEX *indices, const NUMBER *x, ptrdiff_t row_nnz,
    const NUMBER *restrict read, const NUMBER *gradients, const NUMBER *eta,
    const INDEX *coming, ptrdiff_t coming_nnz)
{
    return ROW(step_two_by_two)(state, indices, x, row_nnz, LANES / 2, read, gradients,
                                eta, coming, coming_nnz);
}

static void ROW(sa_read_outputs)(
    const NUMBER *state, const INDEX *indices, const NUMBER *x, ptrdiff_t row_nnz,
    ptrdiff_t n_outputs, NUMBER *restrict read, const NUMBER *eps, const NUMBER *l1,
    const NUMBER *l2, NUMBER *restrict raw_prediction)
{
#ifdef NARROWER
    if (n_outputs <= NARROW_OUTPUTS) {
        NARROWER_ROW(sa_read_outputs)(state, indices, x, row_nnz, n_outputs, read, eps,
                                      l1, l2, raw_prediction);
        return;
    }
#endif
    if (2 * n_outputs == LANES) {
        ROW(read_halves)(state, indices, x, row_nnz, read, eps, l1, l2, raw_prediction);
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
#ifdef NARROWER
    if (n_outputs <= NARROW_OUTPUTS)
        return NARROWER_ROW(sa_step_outputs)(state, indices, x, row_nnz, n_outputs, read,
                                             gradients, eta, coming, coming_nnz);
#endif
    const LOCAL(vec) zero = LOCAL(spread)(0);
    const ptrdiff_t size = 2 * n_outputs * (ptrdiff_t)sizeof(NUMBER);
    LOCAL(vec) blemish = zero;
    if (2 * n_outputs == LANES)
        return ROW(step_halves)(state, indices, x, row_nnz, read, gradients, eta, coming,
                                coming_nnz);
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
            if (o == 0 && k % SA_BLOCK == 0)
                ROW(fetch)(state, size, coming, coming_nnz, k, k + SA_BLOCK);
        }
    }
    ROW(fetch)(state, size, coming, coming_nnz, sa_in_blocks(row_nnz), coming_nnz);
    return LOCAL(total)(blemish) == 0;
}
