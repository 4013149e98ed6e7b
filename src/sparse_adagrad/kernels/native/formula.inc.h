/* The AdaGrad step with its lazy penalty: the one place with the formula.
 *
 * Duchi, Hazan and Singer (JMLR 12, 2011), diagonal AdaGrad, for one feature:
 *
 *     G <- G + g^2,    w <- w - eta g / (sqrt(G) + eps)
 *
 * (a) What is stored is not (w, G) but a pair (u, s): s = sqrt(G) and a dual weight u,
 *     from which the weight is read (read_weight). With no penalty, inserting dual_step
 *     into read_weight gives back the two lines above:
 *     w' = (w (s + eps) + (s' - s) w - eta g) / (s' + eps) = w - eta g / (s' + eps).
 * (b) With a penalty this is FTRL-Proximal (McMahan, AISTATS 2011). l1 and l2 are the
 *     penalties of all updates so far, each times the rate of its update. They enter
 *     only when a weight is read, so a feature that was not seen for a million rows
 *     owes nothing: no sweep, no time stamps.
 * (c) s' - s is taken between the two stored roots, so rounding of s cannot make w
 *     drift.
 *
 * (d) Where past gradients fade, G <- (1 - decay) G + g^2, each sample multiplies all u
 *     and s by f = sqrt(1 - decay), which moves no weight. Instead, what is added is
 *     inflated by c = f^-t, one number for all (fading_step, with g in inflated units).
 *     The weight is then read without eps, since c eps grows beside an s that stands;
 *     eps c enters the step alone: w' = w - eta g / (s' + eps c).
 *
 * Included once per type: REAL is a number or, in the vector variants, a register of
 * numbers; SQRT, FABS, POSITIVE (larger of it and 0) and SIGNED (first with the sign
 * of the second) are its functions, TYPED(name) its suffix. No branches.
 */

typedef struct {
    REAL u, s;
} TYPED(sa_pair);

/* w = -sign(u) max(|u| - l1, 0) / (s + eps + l2) */
static inline REAL TYPED(sa_read_weight)(TYPED(sa_pair) p, REAL eps, REAL l1, REAL l2)
{
    return SIGNED(POSITIVE(FABS(p.u) - l1), -p.u) / (p.s + eps + l2);
}

/* Add g^2 to s^2, then move u against the gradient; w is the weight before. */
static inline TYPED(sa_pair)
    TYPED(sa_dual_step)(TYPED(sa_pair) p, REAL w, REAL g, REAL eta)
{
    REAL s_new = SQRT(p.s * p.s + g * g);
    TYPED(sa_pair) moved = {p.u + eta * g - (s_new - p.s) * w, s_new};
    return moved;
}

/* The same where past gradients fade; g and eps are inflated, w was read without eps. */
static inline TYPED(sa_pair)
    TYPED(sa_fading_step)(TYPED(sa_pair) p, REAL w, REAL g, REAL eta, REAL eps)
{
    REAL s_new = SQRT(p.s * p.s + g * g);
    TYPED(sa_pair) moved = {
        p.u + eta * g * (s_new / (s_new + eps)) - (s_new - p.s) * w, s_new};
    return moved;
}
