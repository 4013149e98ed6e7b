/* One record of CSV or TSV, by RFC 4180 as Python's strict `csv.reader` takes it.
 *
 * (a) A quote counts at the start of a field only; in a quoted field it is doubled.
 * (b) A line ends with CR LF, LF or CR. A quoted field may hold line ends.
 * (c) Text ends with a byte 0 at `end`, as every `bytes` of Python does, so that no
 *     loop has to compare addresses.
 */
#ifndef SPARSE_ADAGRAD_CSV_H
#define SPARSE_ADAGRAD_CSV_H

#include "number.h"
#if defined(__SSE2__) || defined(_M_X64)
#include <emmintrin.h>
#define SA_CSV_SSE2
#if defined(_MSC_VER)
#include <intrin.h>
#endif
#endif

enum {
    SA_RECORD,
    SA_BLANK,       /* a line of nothing */
    SA_CUT,         /* goes on beyond the text */
    SA_OPEN_QUOTE,  /* the same, but nothing comes any more */
    SA_AFTER_QUOTE, /* something other than a delimiter follows a closing quote */
    SA_RAGGED,
    SA_NOT_UTF8,
    SA_BAD_TARGET,
};

typedef struct {
    const char *start, *end; /* without its quotes */
    int has_quotes;          /* that are doubled */
} sa_field;

/* The first delimiter, CR or LF from p on, or `end`. */
static inline const char *sa_field_end(
    const char *p, const char *end, char delimiter) {
#if defined(SA_CSV_SSE2)
    const __m128i separators = _mm_set1_epi8(delimiter);
    const __m128i feeds = _mm_set1_epi8('\n'), returns = _mm_set1_epi8('\r');
    for (; end - p >= 16; p += 16) {
        __m128i text = _mm_loadu_si128((const __m128i *)p);
        int found = _mm_movemask_epi8(_mm_or_si128(
            _mm_cmpeq_epi8(text, separators),
            _mm_or_si128(_mm_cmpeq_epi8(text, feeds), _mm_cmpeq_epi8(text, returns))));
        if (found) {
#if defined(_MSC_VER)
            unsigned long place;
            _BitScanForward(&place, (unsigned long)found);
            return p + place;
#else
            return p + __builtin_ctz((unsigned)found);
#endif
        }
    }
#endif
    while (p < end && *p != delimiter && *p != '\n' && *p != '\r') p++;
    return p;
}

/* Past the line end at p. */
static inline const char *sa_after_line_end(const char *p) {
    return p + (p[0] == '\r' && p[1] == '\n' ? 2 : 1);
}

static const char *sa_next_line(const char *p, const char *end) {
    while (p < end && *p != '\n' && *p != '\r') p++;
    return p < end ? sa_after_line_end(p) : end;
}

/* Past the quoted field that starts at *p; SA_RECORD, or what is wrong. */
static inline int sa_quoted_field(const char **p, const char *end, sa_field *field) {
    const char *at = *p + 1;
    field->start = at;
    field->has_quotes = 0;
    for (;;) {
        at = (const char *)memchr(at, '"', (size_t)(end - at));
        if (at == NULL) return SA_OPEN_QUOTE;
        if (at[1] != '"' || at + 1 == end) break;
        field->has_quotes = 1;
        at += 2;
    }
    field->end = at;
    *p = at + 1;
    return SA_RECORD;
}

/* The record at *p, which is moved past it; not if it is cut off or open.
 *
 * The first `capacity` fields are kept, all are counted. `final` says that no more text
 * comes. After a bad closing quote the next record is that of the next line.
 */
static int sa_csv_record(
    const char **p, const char *end, int final, char delimiter, sa_field *fields,
    Py_ssize_t capacity, Py_ssize_t *n_fields) {
    const char *at = *p;
    *n_fields = 0;
    if (*at == '\n' || *at == '\r') {
        /* A line feed may follow in the next block. */
        if (*at == '\r' && at + 1 == end && !final) return SA_CUT;
        *p = sa_after_line_end(at);
        return SA_BLANK;
    }
    for (;;) {
        sa_field field;
        if (at < end && *at == '"') {
            if (sa_quoted_field(&at, end, &field) != SA_RECORD)
                return final ? SA_OPEN_QUOTE : SA_CUT;
        } else {
            field.start = at;
            field.has_quotes = 0;
            field.end = at = sa_field_end(at, end, delimiter);
        }
        if (*n_fields < capacity) fields[*n_fields] = field;
        ++*n_fields;
        if (at == end) {
            if (!final) return SA_CUT;
            *p = end;
            return SA_RECORD;
        }
        if (*at == '\n' || *at == '\r') {
            if (*at == '\r' && at + 1 == end && !final) return SA_CUT;
            *p = sa_after_line_end(at);
            return SA_RECORD;
        }
        if (*at != delimiter) {
            at = sa_next_line(at, end);
            if (at == end && !final) return SA_CUT;
            *p = at;
            return SA_AFTER_QUOTE;
        }
        at++;
    }
}

/* Line ends from p to `end`, which splits no CR LF. */
static Py_ssize_t sa_count_lines(const char *p, const char *end) {
    Py_ssize_t n = 0;
    for (; p < end; p++) n += (*p == '\n') | ((*p == '\r') & (p[1] != '\n'));
    return n;
}

/* Whether text is UTF-8: shortest forms, no surrogates, nothing above U+10FFFF. */
static int sa_is_utf8(const char *text, const char *end) {
    const unsigned char *p = (const unsigned char *)text;
    const unsigned char *stop = (const unsigned char *)end;
    while (p < stop) {
        uint64_t eight;
        while (stop - p >= 8) {
            memcpy(&eight, p, 8);
            if (eight & 0x8080808080808080) break;
            p += 8;
        }
        while (p < stop && *p < 0x80) p++;
        if (p == stop) break;
        int more = *p >= 0xF0 ? 3 : *p >= 0xE0 ? 2 : 1;
        if (*p < 0xC2 || *p > 0xF4 || stop - p <= more) return 0;
        /* The second byte says the rest: overlong, surrogate, too large. */
        unsigned char low = 0x80, high = 0xBF;
        if (*p == 0xE0) low = 0xA0;
        if (*p == 0xED) high = 0x9F;
        if (*p == 0xF0) low = 0x90;
        if (*p == 0xF4) high = 0x8F;
        if (p[1] < low || p[1] > high) return 0;
        for (int k = 2; k <= more; k++)
            if ((p[k] & 0xC0) != 0x80) return 0;
        p += more + 1;
    }
    return 1;
}

/* Copy a field, quotes no longer doubled; returns the end of the copy. */
static char *sa_copy_field(char *out, const sa_field *field) {
    const char *p = field->start;
    while (field->has_quotes) {
        const char *quote = (const char *)memchr(p, '"', (size_t)(field->end - p));
        if (quote == NULL) break;
        memcpy(out, p, (size_t)(quote + 1 - p));
        out += quote + 1 - p;
        p = quote + 2;
    }
    memcpy(out, p, (size_t)(field->end - p));
    return out + (field->end - p);
}

static inline int sa_is_space(char c) { return c == ' ' || (c >= '\t' && c <= '\r'); }

/* The finite number that a field holds, white space around it aside. */
static int sa_field_number(const sa_field *field, double *value) {
    const char *p = field->start, *end = field->end;
    while (p < end && sa_is_space(*p)) p++;
    while (p < end && sa_is_space(end[-1])) end--;
    return p < end && sa_number(p, end, value) == end && isfinite(*value);
}

#endif
