/* A row times coefficients that lie side by side, checked as it is read.
 *
 * Included once per variant, number and index type, after check.inc.h. LOOK_UP is there
 * in vectors whose instruction set gathers from memory.
 */

/* Whether columns are in [0, n_features) and values finite; if so, `product` is the sum
 * of products, in the numbers' own precision. */
static int ROW(sa_dot_row)(
    const NUMBER *x, const INDEX *indices, ptrdiff_t row_nnz, const NUMBER *coef,
    int64_t n_features, double *product)
{
    /* Four sums side by side: one alone waits for each addition to end. */
    NUMBER sums[4] = {0};
    const double largest = sizeof(NUMBER) == sizeof(float) ? FLT_MAX : DBL_MAX;
    ptrdiff_t k = 0;
#ifdef LOOK_UP
    if (sizeof(INDEX) == sizeof(int32_t) && sa_gathers_well) {
        const int32_t end = n_features > INT32_MAX ? INT32_MIN : (int32_t)n_features;
        LOCAL(vec) sum = LOCAL(spread)(0);
        MASK flaws = 0;
        for (; k < row_nnz; k += LANES) {
            const ptrdiff_t count = row_nnz - k;
            const LOCAL(vec) values = LOCAL(load)(x + k, count);
            flaws |= NOT_FINITE(values);
            sum = LOCAL(add_product)(
                values, LOOK_UP(coef, end, (const int32_t *)(indices + k), count, &flaws),
                sum);
        }
        *product = LOCAL(total)(sum);
        return !flaws;
    }
#endif
    if (!(ROW(sa_check_row)(x, indices, row_nnz, n_features, largest) & SA_SOUND))
        return 0;
    for (; k + 4 <= row_nnz; k += 4)
        for (int t = 0; t < 4; t++)
            sums[t] += x[k + t] * coef[indices[k + t]];
    for (; k < row_nnz; k++)
        sums[0] += x[k] * coef[indices[k]];
    *product = (sums[0] + sums[1]) + (sums[2] + sums[3]);
    return 1;
}
