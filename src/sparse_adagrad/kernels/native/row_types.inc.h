/* Both types of row.inc.h, under VARIANT(name). */
#define REAL float
#define PAIR sa_pair_f32
#define FORMULA(name) name##_f32
#define ROW(name) VARIANT(name##_f32)
#include "row.inc.h"
#undef REAL
#undef PAIR
#undef FORMULA
#undef ROW

#define REAL double
#define PAIR sa_pair_f64
#define FORMULA(name) name##_f64
#define ROW(name) VARIANT(name##_f64)
#include "row.inc.h"
#undef REAL
#undef PAIR
#undef FORMULA
#undef ROW
