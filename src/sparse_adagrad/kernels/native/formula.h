/* The formula for single numbers of both types. */
#ifndef SPARSE_ADAGRAD_FORMULA_H
#define SPARSE_ADAGRAD_FORMULA_H

#include <math.h>

/* A comparison, since fmax() minds NaN, which costs a branch; this one keeps NaN. */
#define POSITIVE(a) ((a) < 0 ? 0 : (a))

#define REAL float
#define SQRT sqrtf
#define FABS fabsf
#define SIGNED copysignf
#define TYPED(name) name##_f32
#include "formula.inc.h"
#undef REAL
#undef SQRT
#undef FABS
#undef SIGNED
#undef TYPED

#define REAL double
#define SQRT sqrt
#define FABS fabs
#define SIGNED copysign
#define TYPED(name) name##_f64
#include "formula.inc.h"
#undef REAL
#undef SQRT
#undef FABS
#undef SIGNED
#undef TYPED

#undef POSITIVE

#endif
