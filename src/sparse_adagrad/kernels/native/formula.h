/* The formula for both types. */
#ifndef SPARSE_ADAGRAD_FORMULA_H
#define SPARSE_ADAGRAD_FORMULA_H

#include <math.h>

/* fmax() minds NaN, which costs a branch; the comparison below keeps NaN too. */
#define SA_MAX(a, b) ((a) < (b) ? (b) : (a))

#define REAL float
#define SQRT sqrtf
#define FABS fabsf
#define FMAX(a, b) SA_MAX(a, (float)(b))
#define TYPED(name) name##_f32
#include "formula.inc.h"
#undef REAL
#undef SQRT
#undef FABS
#undef FMAX
#undef TYPED

#define REAL double
#define SQRT sqrt
#define FABS fabs
#define FMAX(a, b) SA_MAX(a, (double)(b))
#define TYPED(name) name##_f64
#include "formula.inc.h"
#undef REAL
#undef SQRT
#undef FABS
#undef FMAX
#undef TYPED

#endif
