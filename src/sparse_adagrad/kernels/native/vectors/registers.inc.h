/* What the registers of all instruction sets share: their arithmetic operators, a
 * feature of GCC and Clang, and with these the formula. */

#define TYPED(name) LOCAL(name)
#include "../formula.inc.h"
#undef TYPED

static inline LOCAL(vec) LOCAL(add_product)(LOCAL(vec) a, LOCAL(vec) b, LOCAL(vec) sum)
{
    return a * b + sum;
}

static inline LOCAL(vec) LOCAL(times)(LOCAL(vec) a, LOCAL(vec) b) { return a * b; }

static inline LOCAL(vec) LOCAL(read_weights)(
    LOCAL(vec) u, LOCAL(vec) s, LOCAL(vec) eps, LOCAL(vec) l1, LOCAL(vec) l2)
{
    LOCAL(sa_pair) p = {u, s};
    return LOCAL(sa_read_weight)(p, eps, l1, l2);
}

static inline void LOCAL(dual_steps)(
    LOCAL(vec) *u, LOCAL(vec) *s, LOCAL(vec) w, LOCAL(vec) g, LOCAL(vec) eta)
{
    LOCAL(sa_pair) p = {*u, *s};
    p = LOCAL(sa_dual_step)(p, w, g, eta);
    *u = p.u;
    *s = p.s;
}
