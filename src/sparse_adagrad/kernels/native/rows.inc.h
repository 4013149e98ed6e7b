/* The row, its check, its product and its measures, for both index types, once a vector
 * is defined.
 *
 * A variant with a NARROWER one beside it leaves the row of one output to that, and
 * whatever goes entry by entry.
 */
#define INDEX int32_t
#define UNSIGNED_INDEX uint32_t
#define LAST_INDEX INT32_MAX
#define ROW(name) LOCAL(name##_i32)
#define NARROWER_ROW(name) NARROWER(name##_i32)
#include "fetch.inc.h"
#ifndef NARROWER
#include "check.inc.h"
#include "dot.inc.h"
#include "measure.inc.h"
#include "row.inc.h"
#endif
#include "outputs.inc.h"
#undef INDEX
#undef UNSIGNED_INDEX
#undef LAST_INDEX
#undef ROW
#undef NARROWER_ROW

#define INDEX int64_t
#define UNSIGNED_INDEX uint64_t
#define LAST_INDEX INT64_MAX
#define ROW(name) LOCAL(name##_i64)
#define NARROWER_ROW(name) NARROWER(name##_i64)
#include "fetch.inc.h"
#ifndef NARROWER
#include "check.inc.h"
#include "dot.inc.h"
#include "measure.inc.h"
#include "row.inc.h"
#endif
#include "outputs.inc.h"
#undef INDEX
#undef UNSIGNED_INDEX
#undef LAST_INDEX
#undef ROW
#undef NARROWER_ROW
