/* One row over its scratch copy: contiguous, so the compiler makes vector code of it.
 *
 * Included once per type and CPU variant: REAL and PAIR are the types, FORMULA(name)
 * names the formula's functions and ROW(name) these. Rows are padded to a multiple of
 * SA_LANES with x = u = 0 and s = 1, which neither reads nor learns anything.
 */

/* Read the weights of the active features into w; return their product with x.
 * SA_LANES sums run side by side: one would have to wait for itself at every entry. */
static double ROW(sa_read_row)(
    const PAIR *restrict pairs, const REAL *restrict x, REAL *restrict w,
    ptrdiff_t padded, double eps_, double l1_, double l2_)
{
    const REAL eps = (REAL)eps_, l1 = (REAL)l1_, l2 = (REAL)l2_;
    REAL sums[SA_LANES] = {0};
    double total = 0.0;
    for (ptrdiff_t k = 0; k < padded; k += SA_LANES)
        for (int lane = 0; lane < SA_LANES; lane++) {
            w[k + lane] = FORMULA(sa_read_weight)(pairs[k + lane], eps, l1, l2);
            sums[lane] += w[k + lane] * x[k + lane];
        }
    for (int lane = 0; lane < SA_LANES; lane++)
        total += sums[lane];
    return total;
}

/* Step the active features; return whether every number stayed finite. */
static int ROW(sa_step_row)(
    PAIR *restrict pairs, const REAL *restrict x, const REAL *restrict w,
    ptrdiff_t padded, double gradient, double eta_)
{
    const REAL g = (REAL)gradient, eta = (REAL)eta_;
    REAL blemishes[SA_LANES] = {0};
    REAL blemish = 0;
    for (ptrdiff_t k = 0; k < padded; k += SA_LANES)
        for (int lane = 0; lane < SA_LANES; lane++) {
            pairs[k + lane] = FORMULA(sa_dual_step)(
                pairs[k + lane], w[k + lane], g * x[k + lane], eta);
            /* 0 for a finite number, NaN for any other. */
            blemishes[lane] += 0 * pairs[k + lane].u;
        }
    for (int lane = 0; lane < SA_LANES; lane++)
        blemish += blemishes[lane];
    return blemish == 0;
}
