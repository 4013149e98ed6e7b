/* The look at entries before anything reads memory through them, and what is measured
 * by the way: squares, and the few entries that may be the largest of their column.
 *
 * Included once per variant, number and index type.
 */

/* The end of the columns as an unsigned number: a negative column is beyond it too. */
static inline UNSIGNED_INDEX ROW(end)(int64_t n_features)
{
    return n_features > LAST_INDEX ? (UNSIGNED_INDEX)LAST_INDEX + 1
                                   : (UNSIGNED_INDEX)n_features;
}

/* Whether columns that follow another one are in range; adds to `n_falls` those that do
 * not rise. A loop over integers without branches, so that the compiler makes vector code
 * of it. */
static inline int ROW(in_range)(
    const INDEX *indices, ptrdiff_t count, UNSIGNED_INDEX end, int64_t *n_falls)
{
    INDEX outside = 0, falls = 0;
    for (ptrdiff_t k = 0; k < count; k++) {
        outside |= (UNSIGNED_INDEX)indices[k] >= end;
        falls += indices[k] <= indices[k - 1];
    }
    *n_falls += falls;
    return !outside;
}

/* Let entries at these places raise their column's largest size; whether all may be so
 * large. */
static inline int ROW(raise)(
    const NUMBER *x, const INDEX *indices, uint64_t places, const sa_inspection *found)
{
    const NUMBER largest = (NUMBER)found->largest;
    NUMBER *column_max = found->column_max;
    for (; places; places &= places - 1) {
        const int t = sa_lowest(places);
        const NUMBER size = (NUMBER)fabs(x[t]);
        NUMBER *raised = column_max + indices[t];
        if (!(size <= largest))
            return 0;
        /* No branch: which rise cannot be foretold. */
        *raised = size > *raised ? size : *raised;
    }
    return 1;
}

/* Of entries at these places, those that may matter: where columns are many, others take
 * no place in the caches. */
static inline uint64_t ROW(sift)(
    const NUMBER *x, const INDEX *indices, uint64_t places, const sa_inspection *found)
{
    const uint8_t *marks = found->marks;
    const double twice = 2 * found->floor;
    const NUMBER enough = (NUMBER)(twice < found->largest ? twice : found->largest);
    uint64_t left = places;
    if (!marks)
        return places;
    for (; places; places &= places - 1) {
        const int t = sa_lowest(places);
        const INDEX j = indices[t];
        /* No branch: what is marked cannot be foretold. */
        const int matters = (!(fabs(x[t]) <= enough)) | sa_is_marked(marks, j);
        left ^= (uint64_t)!matters << t;
    }
    return left;
}

/* Ask for the columns of entries at these places. */
static inline void ROW(ask)(
    const INDEX *indices, uint64_t places, const NUMBER *column_max)
{
    for (; places; places &= places - 1)
        sa_prefetch(column_max + indices[sa_lowest(places)]);
}

/* Look at a piece whose first entry follows another one or, if `is_first`, none. Whether
 * its columns are in range; writes which entries are above the floor. */
static SA_INLINE int ROW(look)(
    const NUMBER *x, const INDEX *indices, ptrdiff_t count, int is_first,
    uint64_t *places, LOCAL(squares) *squares, sa_inspection *found)
{
    const UNSIGNED_INDEX end = ROW(end)(found->n_features);
    if (is_first && (UNSIGNED_INDEX)indices[0] >= end)
        return 0;
    if (!ROW(in_range)(indices + is_first, count - is_first, end, &found->n_falls))
        return 0;
    *places = LOCAL(places_above)(x, count, (NUMBER)found->floor, squares);
    if (found->is_far) {
        *places = ROW(sift)(x, indices, *places, found);
        ROW(ask)(indices, *places, found->column_max);
    }
    return 1;
}

/* Look at entries `from` to `to`, of any number of rows; see sa_inspection. Whether
 * columns are in range and values not too large. The entry before is read too, unless
 * `from` is the first of all. */
static int ROW(sa_inspect)(
    const NUMBER *x, const INDEX *indices, ptrdiff_t from, ptrdiff_t to,
    sa_inspection *found)
{
    LOCAL(squares) squares = LOCAL(no_squares)();
    /* Places wait for the look at the next piece: meanwhile what they lead to comes. */
    uint64_t waiting = 0;
    ptrdiff_t before = from;
    int sound = 1;
    for (ptrdiff_t k = from; sound && k < to; k += SA_PIECE) {
        uint64_t places;
        if (to - k >= SA_AHEAD + SA_PIECE) {
            sa_prefetch_bytes(x + k + SA_AHEAD, SA_PIECE * sizeof(NUMBER));
            sa_prefetch_bytes(indices + k + SA_AHEAD, SA_PIECE * sizeof(INDEX));
        }
        if (0 < k && k <= to - SA_PIECE)
            sound = ROW(look)(
                x + k, indices + k, SA_PIECE, 0, &places, &squares, found);
        else
            sound = ROW(look)(
                x + k, indices + k, to - k < SA_PIECE ? to - k : SA_PIECE, k == 0,
                &places, &squares, found);
        if (!sound)
            break;
        sound = ROW(raise)(x + before, indices + before, waiting, found);
        waiting = places;
        before = k;
    }
    found->sq_sum += LOCAL(sum)(squares);
    return sound && ROW(raise)(x + before, indices + before, waiting, found);
}

/* Whether columns are below an end. */
static SA_INLINE int ROW(below)(
    const INDEX *indices, ptrdiff_t count, UNSIGNED_INDEX end)
{
    INDEX outside = 0;
    for (ptrdiff_t k = 0; k < count; k++)
        outside |= (UNSIGNED_INDEX)indices[k] >= end;
    return !outside;
}

/* Whether a row's columns are in range: so many at a time that loops leave no rest in any
 * vector, as would go one by one, and the last so many. */
static int ROW(sa_in_range)(
    const INDEX *indices, ptrdiff_t row_nnz, int64_t n_features)
{
    const UNSIGNED_INDEX end = ROW(end)(n_features);
    if (row_nnz < SA_TOGETHER)
        return ROW(below)(indices, row_nnz, end);
    return ROW(below)(indices, row_nnz / SA_TOGETHER * SA_TOGETHER, end)
           && ROW(below)(indices + row_nnz - SA_TOGETHER, SA_TOGETHER, end);
}

/* Whether one of SA_FEW columns is among some, after which others come, so many that
 * there are `n_left` in all. */
static int ROW(sa_has_few)(
    const INDEX *indices, ptrdiff_t count, ptrdiff_t n_left, const INDEX *few)
{
    const INDEX a = few[0], b = few[1], c = few[2], d = few[3];
    INDEX found = 0;
    for (ptrdiff_t start = 0; start < count; start += SA_PIECE) {
        const ptrdiff_t end = count - start < SA_PIECE ? count : start + SA_PIECE;
        if (n_left - start >= SA_AHEAD + SA_PIECE)
            sa_prefetch_bytes(indices + start + SA_AHEAD, SA_PIECE * sizeof(INDEX));
        for (ptrdiff_t k = start; k < end; k++) {
            const INDEX j = indices[k];
            found |= (j == a) | (j == b) | (j == c) | (j == d);
        }
    }
    return found != 0;
}
