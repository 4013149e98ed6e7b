/* Two half registers side by side, in any instruction set that has them. */

static inline REAL LOCAL(halves)(HALF low, HALF high)
{
    return INSERT_HALF(WIDEN(low), high, 1);
}

static inline REAL LOCAL(spread_halves)(NUMBER low, NUMBER high)
{
    return LOCAL(halves)(HALF_OP(set1)(low), HALF_OP(set1)(high));
}

static inline REAL LOCAL(load_halves)(
    const NUMBER *low, const NUMBER *high, ptrdiff_t count)
{
    if (count == LANES / 2)
        return LOCAL(halves)(HALF_OP(loadu)(low), HALF_OP(loadu)(high));
    return LOCAL(halves)(LOAD_FIRST(low, count), LOAD_FIRST(high, count));
}

static inline void LOCAL(store_halves)(
    NUMBER *low, NUMBER *high, REAL v, ptrdiff_t count)
{
    if (count == LANES / 2) {
        HALF_OP(storeu)(high, EXTRACT_HALF(v, 1));
        HALF_OP(storeu)(low, NARROW(v));
    }
    else {
        STORE_FIRST(high, EXTRACT_HALF(v, 1), count);
        STORE_FIRST(low, NARROW(v), count);
    }
}
