/* One line of svmlight: target [qid:number] column:value ... [# comment]. */
#ifndef SPARSE_ADAGRAD_SVMLIGHT_H
#define SPARSE_ADAGRAD_SVMLIGHT_H

#include "number.h"

enum {
    SA_ROW,
    SA_NO_ROW, /* blank, or nothing but a comment */
    SA_BAD_TARGET,
    SA_BAD_FEATURE,
    SA_BAD_VALUE,
    SA_COLUMN_0,
    SA_COLUMN_LARGE,
    SA_COLUMN_ORDER,
};

static inline int sa_is_blank(char c) {
    return c == ' ' || c == '\t' || c == '\r' || c == '\v' || c == '\f';
}

static inline const char *sa_skip_blanks(const char *p) {
    while (sa_is_blank(*p)) p++;
    return p;
}

/* A number from *p on that is finite and ends where a field may end. */
static inline int sa_finite_field(const char **p, const char *end, double *value) {
    const char *after = sa_number(*p, end, value);
    int ends = after == end || sa_is_blank(*after) || *after == '\n' || *after == '#';
    int sound = after > *p && ends && isfinite(*value);
    if (sound) *p = after;
    return sound;
}

static inline int sa_line_ends(const char *p, const char *end) {
    return p >= end || *p == '\n' || *p == '#';
}

/* Parse the line at *p that ends before `end`.
 *
 * Columns less `base` and values go to `indices` and `data`, as many as the line has
 * colons at most. On a fault *p is left at the field that has it.
 */
static int sa_svmlight_row(
    const char **p, const char *end, int64_t base, int64_t n_features,
    double target_above, double *target, int32_t *indices, double *data, Py_ssize_t *row_nnz) {
    Py_ssize_t k = 0;
    int64_t last = -1;
    const char *at = sa_skip_blanks(*p);
    *row_nnz = 0;
    if (sa_line_ends(at, end)) return SA_NO_ROW;
    *p = at;
    if (!sa_finite_field(&at, end, target) || !(*target > target_above))
        return SA_BAD_TARGET;
    at = sa_skip_blanks(at);
    if (end - at > 4 && memcmp(at, "qid:", 4) == 0) {
        *p = at;
        at += 4;
        at += *at == '-';
        const char *digits = at;
        while (sa_is_digit(*at)) at++;
        if (at == digits || !(sa_line_ends(at, end) || sa_is_blank(*at)))
            return SA_BAD_FEATURE;
    }
    for (;; k++) {
        at = sa_skip_blanks(at);
        if (sa_line_ends(at, end)) break;
        *p = at;
        int64_t column = 0;
        /* 18 digits and one more fit into 64 bits. */
        for (; sa_is_digit(*at); at++)
            if (column < 100000000000000000) column = column * 10 + (*at - '0');
        if (at == *p || *at != ':') return SA_BAD_FEATURE;
        at++;
        if (!sa_finite_field(&at, end, &data[k])) return SA_BAD_VALUE;
        column -= base;
        if (column <= last) return column < 0 ? SA_COLUMN_0 : SA_COLUMN_ORDER;
        if (column >= n_features) return SA_COLUMN_LARGE;
        last = column;
        indices[k] = (int32_t)column;
    }
    *row_nnz = k;
    return SA_ROW;
}

#endif
