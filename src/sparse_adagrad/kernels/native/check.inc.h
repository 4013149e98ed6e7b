/* The check of a row before anything reads memory through it.
 *
 * Included once per variant, number and index type; BITS is the signed integer of a
 * number's size and LAST_BITS its largest. Loops over integers without branches, so
 * that the compiler makes vector code of them: numbers without their sign are in the
 * order of their bits, with infinity and NaN above all others.
 */

/* The end of the columns as an unsigned number: a negative column is beyond it too. */
static inline UNSIGNED_INDEX ROW(end)(int64_t n_features)
{
    return n_features > LAST_INDEX ? (UNSIGNED_INDEX)LAST_INDEX + 1
                                   : (UNSIGNED_INDEX)n_features;
}

static inline BITS ROW(size)(const NUMBER *x)
{
    BITS bits;
    memcpy(&bits, x, sizeof bits);
    return bits & LAST_BITS;
}

/* The check of entries that follow another one. */
static SA_INLINE int ROW(check)(
    const NUMBER *x, const INDEX *indices, ptrdiff_t count, UNSIGNED_INDEX end,
    BITS limit)
{
    INDEX outside = 0, falls = 0;
    BITS largest = 0;
    for (ptrdiff_t k = 0; k < count; k++) {
        const BITS size = ROW(size)(x + k);
        outside |= (UNSIGNED_INDEX)indices[k] >= end;
        falls |= indices[k] <= indices[k - 1];
        largest = size > largest ? size : largest;
    }
    return (outside || largest > limit ? 0 : SA_SOUND) | (falls ? 0 : SA_SORTED);
}

/* Whether columns are in [0, n_features) and values at most `largest` in size, and
 * whether columns rise strictly: SA_SOUND and SA_SORTED. */
static int ROW(sa_check_row)(
    const NUMBER *x, const INDEX *indices, ptrdiff_t row_nnz, int64_t n_features,
    double largest)
{
    const UNSIGNED_INDEX end = ROW(end)(n_features);
    const NUMBER limit_ = (NUMBER)largest;
    const BITS limit = ROW(size)(&limit_);
    const ptrdiff_t following = row_nnz - 1;
    int found = SA_SOUND | SA_SORTED;
    if (row_nnz == 0)
        return found;
    if ((UNSIGNED_INDEX)indices[0] >= end || ROW(size)(x) > limit)
        found = SA_SORTED;
    if (following < SA_TOGETHER)
        return found & ROW(check)(x + 1, indices + 1, following, end, limit);
    found &= ROW(check)(x + 1, indices + 1, following / SA_TOGETHER * SA_TOGETHER, end,
                        limit);
    /* Whatever is left, with as many before it as make it whole. */
    x += row_nnz - SA_TOGETHER;
    indices += row_nnz - SA_TOGETHER;
    return found & ROW(check)(x, indices, SA_TOGETHER, end, limit);
}

/* The sum of squares of a row that is sound. */
static double ROW(sa_square_row)(const NUMBER *x, ptrdiff_t row_nnz)
{
    /* What of the last SA_TOGETHER has not been added: places from `left` on. */
    static const double new_ones[2 * SA_TOGETHER] = {
        [SA_TOGETHER] = 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1};
    double sums[SA_TOGETHER] = {0};
    const ptrdiff_t left = row_nnz % SA_TOGETHER, whole = row_nnz - left;
    for (ptrdiff_t k = 0; k < whole; k += SA_TOGETHER)
        for (int t = 0; t < SA_TOGETHER; t++)
            sums[t] += (double)x[k + t] * x[k + t];
    if (whole) {
        const NUMBER *last = x + row_nnz - SA_TOGETHER;
        for (int t = 0; t < SA_TOGETHER; t++)
            sums[t] += new_ones[left + t] * last[t] * last[t];
    }
    else
        for (ptrdiff_t k = 0; k < row_nnz; k++)
            sums[k] = (double)x[k] * x[k];
    for (int half = SA_TOGETHER / 2; half; half /= 2)
        for (int t = 0; t < half; t++)
            sums[t] += sums[t + half];
    return sums[0];
}
