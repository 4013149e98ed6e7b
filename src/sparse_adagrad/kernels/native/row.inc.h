/* The row: read the weights of its active features, then step them, or give them back.
 *
 * Included once per variant, number and index type. A block of LANES entries goes from
 * the features' places in memory to registers and back; LOCAL(name) names the vector
 * functions (vectors/), ROW(name) the functions here, NUMBER, PAIR and INDEX the types.
 */

#if LANES > SA_ROW_LANES
#error "what is kept of a row has no room for blocks of so many lanes"
#endif

/* The place of entry t of a block, and of one that is cut off: its first stands for
 * all that are missing. */
#define WHOLE(t) (pairs + block[t])
#define CUT(t) (pairs + block[SA_CUT[count][t]])

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
        ROW(fetch)(pairs, sizeof(PAIR), coming, coming_nnz, k, k + LANES);
        LOCAL(dual_steps)(&u, &s, LOCAL(load)(read + 2 * LANES, LANES),
                          LOCAL(times)(g, LOCAL(load)(x + k, count)), eta);
        blemish = LOCAL(add_product)(u, zero, blemish);
        if (count >= LANES) {
            SCATTER(u, s, WHOLE);
        }
        else {
            /* What stands for the missing ones has no gradient; the first, whose place
             * they have, is written last. */
            SCATTER(u, s, CUT);
        }
    }
    ROW(fetch)(pairs, sizeof(PAIR), coming, coming_nnz, k, coming_nnz);
    return LOCAL(total)(blemish) == 0;
}

/* Give back what was read, as if the row had never been stepped. */
static void ROW(sa_restore_row)(
    PAIR *pairs, const INDEX *indices, ptrdiff_t row_nnz, const NUMBER *read)
{
    for (ptrdiff_t k = 0; k < row_nnz; k += LANES, read += 3 * LANES) {
        const INDEX *block = indices + k;
        const ptrdiff_t count = row_nnz - k;
        const LOCAL(vec) u = LOCAL(load)(read, LANES);
        const LOCAL(vec) s = LOCAL(load)(read + LANES, LANES);
        if (count >= LANES) {
            SCATTER(u, s, WHOLE);
        }
        else {
            SCATTER(u, s, CUT);
        }
    }
}

#undef WHOLE
#undef CUT
