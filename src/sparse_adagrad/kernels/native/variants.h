/* The vector middle of a row, in the variant that the CPU runs best. */
#ifndef SPARSE_ADAGRAD_VARIANTS_H
#define SPARSE_ADAGRAD_VARIANTS_H

#include <stddef.h>

#include "formula.h"

/* Two AVX-512 registers of float32: enough sums side by side on any CPU. */
#define SA_LANES 32

/* Ask for a cache line that will be written; a hint, and nothing where unknown. */
#ifdef __GNUC__
#define sa_prefetch(address) __builtin_prefetch(address, 1)
#else
#define sa_prefetch(address) ((void)(address))
#endif

typedef struct {
    const char *name;
    double (*read_f32)(const sa_pair_f32 *, const float *, float *, ptrdiff_t, double,
                       double, double);
    double (*read_f64)(const sa_pair_f64 *, const double *, double *, ptrdiff_t,
                       double, double, double);
    int (*step_f32)(sa_pair_f32 *, const float *, const float *, ptrdiff_t, double,
                    double);
    int (*step_f64)(sa_pair_f64 *, const double *, const double *, ptrdiff_t, double,
                    double);
} sa_variant;


/* The variant at a place among those that run here, narrowest first; NULL past them. */
const sa_variant *sa_variant_at(int place);

#endif
