/* What a stream measures of a row: its squares, and the largest |x| of its columns.
 *
 * Included once per variant, number and index type.
 */

/* The largest of entry t's column in a block, and in one that is cut off: its first
 * stands for all that are missing, whose size is 0. */
#define WHOLE(t) (column_max + block[t])
#define CUT(t) (column_max + block[SA_CUT[count][t]])

/* Let the entries of a row raise their columns' largest sizes, unless column_max is NULL.
 * What these were before goes to `kept`, an entry each, or nowhere if that is NULL. */
static sa_measured ROW(sa_measure_row)(
    const NUMBER *x, const INDEX *indices, ptrdiff_t row_nnz, NUMBER *column_max,
    NUMBER *kept)
{
    LOCAL(squares) squares = LOCAL(no_squares)();
    LOCAL(vec) largest = LOCAL(spread)(0);
    sa_measured measured;
    for (ptrdiff_t k = 0; k < row_nnz; k += LANES) {
        const INDEX *block = indices + k;
        const ptrdiff_t count = row_nnz - k;
        const LOCAL(vec) values = LOCAL(load)(x + k, count);
        const LOCAL(vec) sizes = LOCAL(sizes)(values);
        LOCAL(vec) before;
        LOCAL(add_squares)(&squares, values);
        if (!column_max)
            continue;
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
    measured.largest = LOCAL(largest)(largest);
    measured.sq_sum = LOCAL(sum)(squares);
    return measured;
}

#undef WHOLE
#undef CUT
