"""What is compiled once per instruction set, and the variant in use."""

from libc.stdint cimport int64_t, uint8_t


cdef extern from "native/formula.h" nogil:
    ctypedef struct sa_pair_f32:
        float u
        float s

    ctypedef struct sa_pair_f64:
        double u
        double s


cdef extern from "native/variants.h" nogil:
    enum:
        SA_LANES
        SA_ROW_LANES
        SA_FEW
        SA_LINE
        SA_MARKS

    ctypedef struct sa_inspection:
        int64_t n_features
        double largest
        double floor
        void* column_max
        bint is_far
        const uint8_t* marks
        double sq_sum
        int64_t n_falls

    ctypedef struct sa_measured:
        double largest
        double sq_sum

    ctypedef struct sa_rows_f32_i32:
        double (*read_row)(
            const sa_pair_f32*, const int*, const float*, Py_ssize_t, float*, double,
            double, double
        ) noexcept nogil
        int (*step_row)(
            sa_pair_f32*, const int*, const float*, Py_ssize_t, const float*,
            double, double, const int*, Py_ssize_t
        ) noexcept nogil
        void (*restore_row)(
            sa_pair_f32*, const int*, Py_ssize_t, const float*
        ) noexcept nogil
        void (*read_outputs)(
            const float*, const int*, const float*, Py_ssize_t, Py_ssize_t, float*,
            const float*, const float*, const float*, float*
        ) noexcept nogil
        int (*step_outputs)(
            float*, const int*, const float*, Py_ssize_t, Py_ssize_t, const float*,
            const float*, const float*, const int*, Py_ssize_t
        ) noexcept nogil
        int (*inspect)(
            const float*, const int*, Py_ssize_t, Py_ssize_t, sa_inspection*
        ) noexcept nogil
        int (*in_range)(const int*, Py_ssize_t, int64_t) noexcept nogil
        int (*has_few)(
            const int*, Py_ssize_t, Py_ssize_t, const int*
        ) noexcept nogil
        double (*dot_row)(
            const float*, const int*, Py_ssize_t, const float*
        ) noexcept nogil
        sa_measured (*measure_row)(
            const float*, const int*, Py_ssize_t, float*, float*
        ) noexcept nogil

    ctypedef struct sa_rows_f32_i64:
        double (*read_row)(
            const sa_pair_f32*, const int64_t*, const float*, Py_ssize_t, float*,
            double,
            double, double
        ) noexcept nogil
        int (*step_row)(
            sa_pair_f32*, const int64_t*, const float*, Py_ssize_t, const float*,
            double, double, const int64_t*, Py_ssize_t
        ) noexcept nogil
        void (*restore_row)(
            sa_pair_f32*, const int64_t*, Py_ssize_t, const float*
        ) noexcept nogil
        void (*read_outputs)(
            const float*, const int64_t*, const float*, Py_ssize_t, Py_ssize_t, float*,
            const float*, const float*, const float*, float*
        ) noexcept nogil
        int (*step_outputs)(
            float*, const int64_t*, const float*, Py_ssize_t, Py_ssize_t, const float*,
            const float*, const float*, const int64_t*, Py_ssize_t
        ) noexcept nogil
        int (*inspect)(
            const float*, const int64_t*, Py_ssize_t, Py_ssize_t, sa_inspection*
        ) noexcept nogil
        int (*in_range)(const int64_t*, Py_ssize_t, int64_t) noexcept nogil
        int (*has_few)(
            const int64_t*, Py_ssize_t, Py_ssize_t, const int64_t*
        ) noexcept nogil
        double (*dot_row)(
            const float*, const int64_t*, Py_ssize_t, const float*
        ) noexcept nogil
        sa_measured (*measure_row)(
            const float*, const int64_t*, Py_ssize_t, float*, float*
        ) noexcept nogil

    ctypedef struct sa_rows_f64_i32:
        double (*read_row)(
            const sa_pair_f64*, const int*, const double*, Py_ssize_t, double*, double,
            double, double
        ) noexcept nogil
        int (*step_row)(
            sa_pair_f64*, const int*, const double*, Py_ssize_t, const double*,
            double, double, const int*, Py_ssize_t
        ) noexcept nogil
        void (*restore_row)(
            sa_pair_f64*, const int*, Py_ssize_t, const double*
        ) noexcept nogil
        void (*read_outputs)(
            const double*, const int*, const double*, Py_ssize_t, Py_ssize_t, double*,
            const double*, const double*, const double*, double*
        ) noexcept nogil
        int (*step_outputs)(
            double*, const int*, const double*, Py_ssize_t, Py_ssize_t, const double*,
            const double*, const double*, const int*, Py_ssize_t
        ) noexcept nogil
        int (*inspect)(
            const double*, const int*, Py_ssize_t, Py_ssize_t, sa_inspection*
        ) noexcept nogil
        int (*in_range)(const int*, Py_ssize_t, int64_t) noexcept nogil
        int (*has_few)(
            const int*, Py_ssize_t, Py_ssize_t, const int*
        ) noexcept nogil
        double (*dot_row)(
            const double*, const int*, Py_ssize_t, const double*
        ) noexcept nogil
        sa_measured (*measure_row)(
            const double*, const int*, Py_ssize_t, double*, double*
        ) noexcept nogil

    ctypedef struct sa_rows_f64_i64:
        double (*read_row)(
            const sa_pair_f64*, const int64_t*, const double*, Py_ssize_t, double*,
            double,
            double, double
        ) noexcept nogil
        int (*step_row)(
            sa_pair_f64*, const int64_t*, const double*, Py_ssize_t, const double*,
            double, double, const int64_t*, Py_ssize_t
        ) noexcept nogil
        void (*restore_row)(
            sa_pair_f64*, const int64_t*, Py_ssize_t, const double*
        ) noexcept nogil
        void (*read_outputs)(
            const double*, const int64_t*, const double*, Py_ssize_t, Py_ssize_t,
            double*,
            const double*, const double*, const double*, double*
        ) noexcept nogil
        int (*step_outputs)(
            double*, const int64_t*, const double*, Py_ssize_t, Py_ssize_t,
            const double*, const double*, const double*, const int64_t*, Py_ssize_t
        ) noexcept nogil
        int (*inspect)(
            const double*, const int64_t*, Py_ssize_t, Py_ssize_t, sa_inspection*
        ) noexcept nogil
        int (*in_range)(const int64_t*, Py_ssize_t, int64_t) noexcept nogil
        int (*has_few)(
            const int64_t*, Py_ssize_t, Py_ssize_t, const int64_t*
        ) noexcept nogil
        double (*dot_row)(
            const double*, const int64_t*, Py_ssize_t, const double*
        ) noexcept nogil
        sa_measured (*measure_row)(
            const double*, const int64_t*, Py_ssize_t, double*, double*
        ) noexcept nogil

    ctypedef struct sa_variant:
        const char* name
        sa_rows_f32_i32 f32_i32
        sa_rows_f32_i64 f32_i64
        sa_rows_f64_i32 f64_i32
        sa_rows_f64_i64 f64_i64

    const sa_variant* sa_variant_at(int place)
    Py_ssize_t sa_near_bytes(bint shared)
    int sa_bit_length(int64_t number)
    void sa_mark(uint8_t* marks, int64_t column)
    void sa_prefetch(const void* address)
    void sa_prefetch_early(const void* address)
    void sa_prefetch_bytes(const void* start, Py_ssize_t size)
    void sa_prefetch_feature(
        const void* features, Py_ssize_t size, Py_ssize_t feature
    )


# The variant that all calls use; chosen once, when the module loads.
cdef const sa_variant* VARIANT
# States of so many bytes need not be asked for: of one thread's own, and shared ones.
cdef Py_ssize_t[2] NEAR_BYTES
