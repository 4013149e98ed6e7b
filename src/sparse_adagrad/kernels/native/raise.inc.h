/* The row's part of the largest |x| of columns, which run with a stream.
 *
 * Included once per variant, number and index type.
 */

/* The largest of entry t's column in a block, and in one that is cut off: its first
 * stands for all that are missing, whose size is 0. */
#define WHOLE(t) (column_max + block[t])
#define CUT(t) (column_max + block[SA_CUT[count][t]])

/* Let the entries of a row raise their columns' largest sizes; the largest of these. What
 * they were before goes to `kept`, an entry each, or nowhere if that is NULL. */
static NUMBER ROW(sa_raise_row)(
    const NUMBER *x, const INDEX *indices, ptrdiff_t row_nnz, NUMBER *column_max,
    NUMBER *kept)
{
    LOCAL(vec) largest = LOCAL(spread)(0);
    for (ptrdiff_t k = 0; k < row_nnz; k += LANES) {
        const INDEX *block = indices + k;
        const ptrdiff_t count = row_nnz - k;
        const LOCAL(vec) sizes = LOCAL(sizes)(LOCAL(load)(x + k, count));
        LOCAL(vec) before;
        if (count >= LANES) {
            COLLECT(before, WHOLE);
        }
        else {
            COLLECT(before, CUT);
        }
        if (kept)
            LOCAL(store)(kept + k, before, count);
        largest = LOCAL(larger)(largest, LOCAL(larger)(before, sizes));
        /* Once a stream has come far, few rise. */
        for (uint64_t places = LOCAL(places_larger)(sizes, before); places;
             places &= places - 1) {
            const int t = sa_lowest(places);
            column_max[block[t]] = (NUMBER)fabs(x[k + t]);
        }
    }
    return LOCAL(largest)(largest);
}

#undef WHOLE
#undef CUT
