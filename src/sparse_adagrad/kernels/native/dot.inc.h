/* A row that has been checked times coefficients that lie side by side.
 *
 * Included once per variant, number and index type.
 */

/* The coefficient of entry t of a block, and of one that is cut off: its first stands
 * for all that are missing. */
#define WHOLE(t) (coef + block[t])
#define CUT(t) (coef + block[SA_CUT[count][t]])

/* In the numbers' own precision. */
static double ROW(sa_dot_row)(
    const NUMBER *x, const INDEX *indices, ptrdiff_t row_nnz, const NUMBER *coef)
{
    LOCAL(vec) sum = LOCAL(spread)(0);
    for (ptrdiff_t k = 0; k < row_nnz; k += LANES) {
        const INDEX *block = indices + k;
        const ptrdiff_t count = row_nnz - k;
        LOCAL(vec) weights;
        if (count >= LANES) {
            COLLECT(weights, WHOLE);
        }
        else {
            COLLECT(weights, CUT);
        }
        sum = LOCAL(add_product)(weights, LOCAL(load)(x + k, count), sum);
    }
    return LOCAL(total)(sum);
}

#undef WHOLE
#undef CUT
