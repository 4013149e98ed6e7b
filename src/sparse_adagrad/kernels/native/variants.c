/* CPU variants of the row: one body, compiled once per instruction set.
 *
 * The portable variant defines what is right and always exists; on ARM the compiler
 * makes NEON of it. The others are x86-64's and need a compiler that takes instruction
 * sets by region, GCC's or Clang's. formula.h is included before any region opens, and
 * all it holds is static inline, so no wider instruction leaks out of a region.
 */
#include "variants.h"

#include <string.h>

#define VARIANT(name) name##_portable
#include "row_types.inc.h"
#undef VARIANT

#define TABLE_ROW(name)                                                             \
    {                                                                               \
        #name, sa_read_row_f32_##name, sa_read_row_f64_##name,                      \
            sa_step_row_f32_##name, sa_step_row_f64_##name                          \
    }

#if defined(__x86_64__) && defined(__GNUC__)
#define SA_X86_VARIANTS 1
#endif

#ifdef SA_X86_VARIANTS

#ifdef __clang__
#pragma clang attribute push(__attribute__((target("avx2,fma"))), apply_to = function)
#else
#pragma GCC push_options
#pragma GCC target("avx2,fma")
#endif
#define VARIANT(name) name##_avx2
#include "row_types.inc.h"
#undef VARIANT
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
#define VARIANT(name) name##_avx512
#include "row_types.inc.h"
#undef VARIANT
#ifdef __clang__
#pragma clang attribute pop
#else
#pragma GCC pop_options
#endif

#endif

/* Widest last. */
static const sa_variant VARIANTS[] = {
    TABLE_ROW(portable),
#ifdef SA_X86_VARIANTS
    TABLE_ROW(avx2),
    TABLE_ROW(avx512),
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
