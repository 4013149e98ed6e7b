/* The check of a row before anything reads memory through it.
 *
 * Included once per variant, number and index type; BITS is the signed integer of a
 * number's size and LAST_BITS its largest. Loops over integers without branches, so
 * that the compiler makes vector code of them: numbers without their sign are in the
 * order of their bits, with infinity and NaN above all others.
 */

/* Whether columns are in [0, n_features) and values at most `largest` in size, and
 * whether columns rise strictly: SA_SOUND and SA_SORTED. */
static int ROW(sa_check_row)(
    const NUMBER *x, const INDEX *indices, ptrdiff_t row_nnz, int64_t n_features,
    double largest)
{
    /* A negative column is beyond all others as an unsigned number. */
    const UNSIGNED_INDEX end = n_features > LAST_INDEX ? (UNSIGNED_INDEX)LAST_INDEX + 1
                                                       : (UNSIGNED_INDEX)n_features;
    const NUMBER limit_ = (NUMBER)largest;
    BITS limit, size = 0;
    INDEX outside = 0, falls = 0;
    memcpy(&limit, &limit_, sizeof limit);
    for (ptrdiff_t k = 0; k < row_nnz; k++)
        outside |= (UNSIGNED_INDEX)indices[k] >= end;
    for (ptrdiff_t k = 1; k < row_nnz; k++)
        falls |= indices[k] <= indices[k - 1];
    for (ptrdiff_t k = 0; k < row_nnz; k++) {
        BITS bits;
        memcpy(&bits, x + k, sizeof bits);
        bits &= LAST_BITS;
        size = bits > size ? bits : size;
    }
    return (outside || size > limit ? 0 : SA_SOUND) | (falls ? 0 : SA_SORTED);
}

/* The sum of squares of a row that is sound. */
static double ROW(sa_square_row)(const NUMBER *x, ptrdiff_t row_nnz)
{
    double sums[8] = {0};
    ptrdiff_t k = 0;
    for (; k + 8 <= row_nnz; k += 8)
        for (int t = 0; t < 8; t++)
            sums[t] += (double)x[k + t] * x[k + t];
    for (; k < row_nnz; k++)
        sums[k % 8] += (double)x[k] * x[k];
    return ((sums[0] + sums[1]) + (sums[2] + sums[3]))
           + ((sums[4] + sums[5]) + (sums[6] + sums[7]));
}
