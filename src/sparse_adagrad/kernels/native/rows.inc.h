/* The row of row.inc.h for both index types, once a vector is defined. */
#define INDEX int32_t
#define ROW(name) LOCAL(name##_i32)
#include "row.inc.h"
#undef INDEX
#undef ROW

#define INDEX int64_t
#define ROW(name) LOCAL(name##_i64)
#include "row.inc.h"
#undef INDEX
#undef ROW
