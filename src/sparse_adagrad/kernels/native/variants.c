/* CPU variants of the row and its check: one body, compiled once per instruction set.
 *
 * The portable variant defines what is right and always exists; on ARM the compiler
 * makes NEON of it. The others are x86-64's and need a compiler that takes instruction
 * sets by region, GCC's or Clang's. Headers are included before any region opens, so
 * that no wider instruction leaks out of a region.
 *
 * AVX-512 leaves rows of one output, and of few, to AVX2: entries come one by one, and
 * parting them into wider registers and back takes longer than these save. The same goes
 * for their check, which waits for memory, for their product with coefficients and for
 * their measures: gathers from memory, which some CPUs have to slow down for safety (gather data
 * sampling, CVE-2022-40982), are on others no faster than loads one by one.
 */
#include "variants.h"

#include <string.h>

#define NUMBER float
#define PAIR sa_pair_f32
#define SCALAR(name) name##_f32
#define LANES 8
#define LOCAL(name) name##_f32_portable
#include "vectors/portable.inc.h"
#include "rows.inc.h"
#include "vectors/undefine.inc.h"

#define NUMBER double
#define PAIR sa_pair_f64
#define SCALAR(name) name##_f64
#define LANES 4
#define LOCAL(name) name##_f64_portable
#include "vectors/portable.inc.h"
#include "rows.inc.h"
#include "vectors/undefine.inc.h"

#if defined(__x86_64__) && defined(__GNUC__)
#define SA_X86_VARIANTS 1
#endif

#ifdef SA_X86_VARIANTS
#include <immintrin.h>

#ifdef __clang__
#pragma clang attribute push(__attribute__((target("avx2,fma"))), apply_to = function)
#else
#pragma GCC push_options
#pragma GCC target("avx2,fma")
#endif

#define NUMBER float
#define PAIR sa_pair_f32
#define LANES 8
#define LOCAL(name) name##_f32_avx2
#include "vectors/avx2_f32.inc.h"
#include "vectors/registers.inc.h"
#include "rows.inc.h"
#include "vectors/undefine.inc.h"

#define NUMBER double
#define PAIR sa_pair_f64
#define LANES 4
#define LOCAL(name) name##_f64_avx2
#include "vectors/avx2_f64.inc.h"
#include "vectors/registers.inc.h"
#include "rows.inc.h"
#include "vectors/undefine.inc.h"

#ifdef __clang__
#pragma clang attribute pop
#pragma clang attribute push(                                                       \
    __attribute__((target("avx512f,avx512vl,avx512dq,avx512bw,fma"))),              \
    apply_to = function)
#else
#pragma GCC pop_options
#pragma GCC push_options
#pragma GCC target("avx512f,avx512vl,avx512dq,avx512bw,fma,prefer-vector-width=512")
#endif

#define NUMBER float
#define PAIR sa_pair_f32
#define LANES 16
#define LOCAL(name) name##_f32_avx512
#define NARROWER(name) name##_f32_avx2
#define NARROW_OUTPUTS 4
#include "vectors/avx512_f32.inc.h"
#include "vectors/registers.inc.h"
#include "rows.inc.h"
#include "vectors/undefine.inc.h"

#define NUMBER double
#define PAIR sa_pair_f64
#define LANES 8
#define LOCAL(name) name##_f64_avx512
#define NARROWER(name) name##_f64_avx2
#define NARROW_OUTPUTS 4
#include "vectors/avx512_f64.inc.h"
#include "vectors/registers.inc.h"
#include "rows.inc.h"
#include "vectors/undefine.inc.h"

#ifdef __clang__
#pragma clang attribute pop
#else
#pragma GCC pop_options
#endif

#endif

/* `row` names the variant that has the row of one output. */
#define ROWS_OF(types, name, row)                                                   \
    {                                                                               \
        sa_read_row_##types##_##row, sa_step_row_##types##_##row,                   \
            sa_restore_row_##types##_##row,                                         \
            sa_read_outputs_##types##_##name, sa_step_outputs_##types##_##name,     \
            sa_inspect_##types##_##row, sa_in_range_##types##_##row,                \
            sa_has_few_##types##_##row, sa_dot_row_##types##_##row,                 \
            sa_measure_row_##types##_##row                                          \
    }
#define VARIANT(name, row)                                                          \
    {                                                                               \
        #name, ROWS_OF(i32_f32, name, row), ROWS_OF(i64_f32, name, row),            \
            ROWS_OF(i32_f64, name, row), ROWS_OF(i64_f64, name, row)                \
    }

/* Widest last. */
static const sa_variant VARIANTS[] = {
    VARIANT(portable, portable),
#ifdef SA_X86_VARIANTS
    VARIANT(avx2, avx2),
    VARIANT(avx512, avx2),
#endif
};

#define N_VARIANTS ((int)(sizeof(VARIANTS) / sizeof(VARIANTS[0])))

/* Whether CPU and operating system run a variant. The compilers' builtin reads the
 * state that the system saves (XGETBV) beside the CPU's own word (CPUID). */
static int runs(const sa_variant *variant)
{
#ifdef SA_X86_VARIANTS
    __builtin_cpu_init();
    if (strcmp(variant->name, "avx2") == 0)
        return __builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma");
    if (strcmp(variant->name, "avx512") == 0)
        return __builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512vl")
               && __builtin_cpu_supports("avx512dq")
               && __builtin_cpu_supports("avx512bw") && __builtin_cpu_supports("fma");
#endif
    return strcmp(variant->name, "portable") == 0;
}

const sa_variant *sa_variant_at(int place)
{
    int seen = 0;
    for (int v = 0; v < N_VARIANTS; v++)
        if (runs(&VARIANTS[v]) && seen++ == place)
            return &VARIANTS[v];
    return NULL;
}

ptrdiff_t sa_near_bytes(int shared)
{
#ifdef SA_X86_VARIANTS
    __builtin_cpu_init();
    if (!shared && __builtin_cpu_is("amd"))
        return (ptrdiff_t)1 << 22;
#endif
    (void)shared;
    return (ptrdiff_t)1 << 19;
}
