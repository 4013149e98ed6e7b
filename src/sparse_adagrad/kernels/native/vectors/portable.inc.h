/* A vector in plain C: LANES numbers, and loops over them that a compiler turns into
 * the vector code of its baseline, SSE2 or NEON.
 *
 * Included once per type: NUMBER is float or double, SCALAR(name) its formula. Defines
 * what row.inc.h asks for.
 */

typedef struct {
    NUMBER lane[LANES];
} LOCAL(vec);

#define EACH_LANE for (int t = 0; t < LANES; t++)

static inline LOCAL(vec) LOCAL(spread)(NUMBER value)
{
    LOCAL(vec) v;
    EACH_LANE v.lane[t] = value;
    return v;
}

static inline LOCAL(vec) LOCAL(load)(const NUMBER *from, ptrdiff_t count)
{
    LOCAL(vec) v;
    if (count >= LANES)
        EACH_LANE v.lane[t] = from[t];
    else
        EACH_LANE v.lane[t] = t < count ? from[t] : 0;
    return v;
}

static inline void LOCAL(store)(NUMBER *to, LOCAL(vec) v, ptrdiff_t count)
{
    if (count >= LANES)
        EACH_LANE to[t] = v.lane[t];
    else
        for (ptrdiff_t t = 0; t < count; t++)
            to[t] = v.lane[t];
}

static inline LOCAL(vec) LOCAL(add_product)(LOCAL(vec) a, LOCAL(vec) b, LOCAL(vec) sum)
{
    EACH_LANE sum.lane[t] += a.lane[t] * b.lane[t];
    return sum;
}

static inline LOCAL(vec) LOCAL(times)(LOCAL(vec) a, LOCAL(vec) b)
{
    EACH_LANE a.lane[t] *= b.lane[t];
    return a;
}

/* Two features side by side: `count` numbers, at most LANES / 2, of each. */
static inline LOCAL(vec) LOCAL(spread_halves)(NUMBER low, NUMBER high)
{
    LOCAL(vec) v;
    EACH_LANE v.lane[t] = t < LANES / 2 ? low : high;
    return v;
}

static inline LOCAL(vec) LOCAL(load_halves)(
    const NUMBER *low, const NUMBER *high, ptrdiff_t count)
{
    LOCAL(vec) v = LOCAL(spread)(0);
    for (ptrdiff_t t = 0; t < count; t++) {
        v.lane[t] = low[t];
        v.lane[LANES / 2 + t] = high[t];
    }
    return v;
}

static inline void LOCAL(store_halves)(
    NUMBER *low, NUMBER *high, LOCAL(vec) v, ptrdiff_t count)
{
    for (ptrdiff_t t = 0; t < count; t++) {
        high[t] = v.lane[LANES / 2 + t];
        low[t] = v.lane[t];
    }
}

/* Sums of squares in double precision. */
typedef struct {
    double lane[LANES];
} LOCAL(squares);

static inline LOCAL(squares) LOCAL(no_squares)(void)
{
    const LOCAL(squares) none = {{0}};
    return none;
}

static inline void LOCAL(add_squares)(LOCAL(squares) *sums, LOCAL(vec) v)
{
    EACH_LANE sums->lane[t] += (double)v.lane[t] * v.lane[t];
}

static inline double LOCAL(sum)(LOCAL(squares) sums)
{
    double sum = 0;
    EACH_LANE sum += sums.lane[t];
    return sum;
}

/* The places of at most SA_PIECE numbers whose size is not at most the floor, a bit
 * each; adds the squares of all. */
static SA_INLINE uint64_t LOCAL(places_above)(
    const NUMBER *x, ptrdiff_t count, NUMBER floor, LOCAL(squares) *squares)
{
    const ptrdiff_t whole = count / LANES * LANES;
    LOCAL(squares) sums = *squares;
    uint64_t places = 0;
    int any = 0;
    for (ptrdiff_t k = 0; k < whole; k += LANES)
        EACH_LANE sums.lane[t] += (double)x[k + t] * x[k + t];
    for (ptrdiff_t k = whole; k < count; k++)
        sums.lane[k - whole] += (double)x[k] * x[k];
    *squares = sums;
    /* Where few are, a compiler finds that there is none in vector code. */
    for (ptrdiff_t k = 0; k < count; k++)
        any |= !(fabs(x[k]) <= floor);
    if (any)
        for (ptrdiff_t k = 0; k < count; k++)
            places |= (uint64_t)!(fabs(x[k]) <= floor) << k;
    return places;
}

static inline NUMBER LOCAL(total)(LOCAL(vec) v)
{
    for (int half = LANES / 2; half; half /= 2)
        for (int t = 0; t < half; t++)
            v.lane[t] += v.lane[t + half];
    return v.lane[0];
}

static inline LOCAL(vec) LOCAL(sizes)(LOCAL(vec) v)
{
    EACH_LANE v.lane[t] = (NUMBER)fabs(v.lane[t]);
    return v;
}

static inline LOCAL(vec) LOCAL(larger)(LOCAL(vec) a, LOCAL(vec) b)
{
    EACH_LANE a.lane[t] = a.lane[t] > b.lane[t] ? a.lane[t] : b.lane[t];
    return a;
}

/* The places where a is the larger, a bit each. */
static inline uint64_t LOCAL(places_larger)(LOCAL(vec) a, LOCAL(vec) b)
{
    uint64_t places = 0;
    EACH_LANE places |= (uint64_t)(a.lane[t] > b.lane[t]) << t;
    return places;
}

static inline NUMBER LOCAL(largest)(LOCAL(vec) v)
{
    NUMBER most = v.lane[0];
    EACH_LANE most = v.lane[t] > most ? v.lane[t] : most;
    return most;
}

/* Pairs from LANES places, and back, the last first: AT(t) is the address of one. s is
 * stored before u, as outputs.inc.h says of several outputs. */
#define GATHER(u, s, AT)                                                            \
    EACH_LANE                                                                       \
    {                                                                               \
        (u).lane[t] = (AT(t))->u;                                                   \
        (s).lane[t] = (AT(t))->s;                                                   \
    }
#define SCATTER(u, s, AT)                                                           \
    for (int t = LANES - 1; t >= 0; t--)                                            \
    {                                                                               \
        (AT(t))->s = (s).lane[t];                                                   \
        (AT(t))->u = (u).lane[t];                                                   \
    }

/* Numbers from LANES places. */
#define COLLECT(v, AT) EACH_LANE (v).lane[t] = *(AT(t));

static inline LOCAL(vec) LOCAL(read_weights)(
    LOCAL(vec) u, LOCAL(vec) s, LOCAL(vec) eps, LOCAL(vec) l1, LOCAL(vec) l2)
{
    EACH_LANE
    {
        SCALAR(sa_pair) p = {u.lane[t], s.lane[t]};
        u.lane[t] = SCALAR(sa_read_weight)(p, eps.lane[t], l1.lane[t], l2.lane[t]);
    }
    return u;
}

static inline void LOCAL(dual_steps)(
    LOCAL(vec) *u, LOCAL(vec) *s, LOCAL(vec) w, LOCAL(vec) g, LOCAL(vec) eta)
{
    EACH_LANE
    {
        SCALAR(sa_pair) p = {u->lane[t], s->lane[t]};
        p = SCALAR(sa_dual_step)(p, w.lane[t], g.lane[t], eta.lane[t]);
        u->lane[t] = p.u;
        s->lane[t] = p.s;
    }
}
