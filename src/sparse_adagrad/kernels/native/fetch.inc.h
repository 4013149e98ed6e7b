/* Asking for a row to come while another is stepped, a few features after each block:
 * all at once would fill the few buffers for lines on their way, and what is behind
 * them would wait.
 *
 * Included once per variant, number and index type.
 */

/* Ask for the features of entries `from` to `to` of a row to come, if there are any. */
static SA_INLINE void ROW(fetch)(
    const void *features, ptrdiff_t size, const INDEX *coming, ptrdiff_t coming_nnz,
    ptrdiff_t from, ptrdiff_t to)
{
    const ptrdiff_t count = to - from;
    /* Mostly all are there, so many that the compiler writes them one after the other. */
    if (to <= coming_nnz)
        for (ptrdiff_t t = 0; t < count; t++)
            sa_prefetch_feature(features, size, coming[from + t]);
    else
        for (ptrdiff_t k = from; k < coming_nnz; k++)
            sa_prefetch_feature(features, size, coming[k]);
}
