/* String columns through the Arrow C data interface, as documents.
 *
 * The structures are those of https://arrow.apache.org/docs/format/CDataInterface.html
 * and CStreamInterface.html; layouts, those of .../format/Columnar.html. The interface
 * does not tell how long buffers are, but for those of string views; everything that can
 * be checked is, before it is used.
 */
#ifndef SPARSE_ADAGRAD_ARROW_H
#define SPARSE_ADAGRAD_ARROW_H

#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "document.h"

#ifndef ARROW_C_DATA_INTERFACE
#define ARROW_C_DATA_INTERFACE
struct ArrowSchema {
    const char *format;
    const char *name;
    const char *metadata;
    int64_t flags;
    int64_t n_children;
    struct ArrowSchema **children;
    struct ArrowSchema *dictionary;
    void (*release)(struct ArrowSchema *);
    void *private_data;
};

struct ArrowArray {
    int64_t length;
    int64_t null_count;
    int64_t offset;
    int64_t n_buffers;
    int64_t n_children;
    const void **buffers;
    struct ArrowArray **children;
    struct ArrowArray *dictionary;
    void (*release)(struct ArrowArray *);
    void *private_data;
};
#endif

#ifndef ARROW_C_STREAM_INTERFACE
#define ARROW_C_STREAM_INTERFACE
struct ArrowArrayStream {
    int (*get_schema)(struct ArrowArrayStream *, struct ArrowSchema *out);
    int (*get_next)(struct ArrowArrayStream *, struct ArrowArray *out);
    const char *(*get_last_error)(struct ArrowArrayStream *);
    void (*release)(struct ArrowArrayStream *);
    void *private_data;
};
#endif

/* What is wrong with a column. */
enum {
    SA_ARROW_OK,
    SA_ARROW_TYPE,    /* not of strings */
    SA_ARROW_BUFFERS, /* missing, or of a number that the type does not have */
    SA_ARROW_LENGTH,  /* negative or absurd */
    SA_ARROW_OFFSETS, /* negative or falling */
    SA_ARROW_VIEW,    /* outside of its buffer */
    SA_ARROW_INDEX,   /* outside of the dictionary */
    SA_ARROW_MEMORY,
};

/* Rows beyond this would let sums of places overflow. */
#define SA_MOST_ROWS ((int64_t)1 << 48)

static int sa_arrow_is_missing(const struct ArrowArray *array, int64_t row)
{
    const uint8_t *valid = array->buffers[0];
    return valid && !(valid[row >> 3] >> (row & 7) & 1);
}

static int sa_read_offsets_32(const struct ArrowArray *array, sa_document *out)
{
    const int32_t *offsets = (const int32_t *)array->buffers[1] + array->offset;
    const char *data = array->buffers[2];
    for (int64_t i = 0; i < array->length; i++) {
        if (offsets[i] < 0 || offsets[i + 1] < offsets[i])
            return SA_ARROW_OFFSETS;
        if (offsets[i + 1] > offsets[i] && !data)
            return SA_ARROW_BUFFERS;
        out[i].data = data ? data + offsets[i] : "";
        out[i].size = offsets[i + 1] - offsets[i];
    }
    return SA_ARROW_OK;
}

static int sa_read_offsets_64(const struct ArrowArray *array, sa_document *out)
{
    const int64_t *offsets = (const int64_t *)array->buffers[1] + array->offset;
    const char *data = array->buffers[2];
    for (int64_t i = 0; i < array->length; i++) {
        if (offsets[i] < 0 || offsets[i + 1] < offsets[i]
            || offsets[i + 1] >= (int64_t)1 << 62)
            return SA_ARROW_OFFSETS;
        if (offsets[i + 1] > offsets[i] && !data)
            return SA_ARROW_BUFFERS;
        out[i].data = data ? data + offsets[i] : "";
        out[i].size = offsets[i + 1] - offsets[i];
    }
    return SA_ARROW_OK;
}

/* Views of 16 bytes: a length, then up to twelve bytes themselves or, of longer ones, a
 * prefix of four, a buffer and a place in it. */
static int sa_read_views(const struct ArrowArray *array, sa_document *out)
{
    const char *views = (const char *)array->buffers[1] + 16 * array->offset;
    const int64_t n_data = array->n_buffers - 3;
    const int64_t *sizes = array->buffers[array->n_buffers - 1];
    for (int64_t i = 0; i < array->length; i++, views += 16) {
        int32_t view[4];
        memcpy(view, views, 16);
        if (sa_arrow_is_missing(array, array->offset + i))
            continue; /* Its view may hold anything. */
        if (view[0] < 0)
            return SA_ARROW_VIEW;
        out[i].size = view[0];
        if (view[0] <= 12) {
            out[i].data = views + 4;
            continue;
        }
        if (view[2] < 0 || view[2] >= n_data || view[3] < 0 || !sizes
            || (int64_t)view[3] + view[0] > sizes[view[2]])
            return SA_ARROW_VIEW;
        const char *data = array->buffers[2 + view[2]];
        if (!data)
            return SA_ARROW_BUFFERS;
        out[i].data = data + view[3];
    }
    return SA_ARROW_OK;
}

static int64_t sa_arrow_index(const void *indices, char format, int64_t i)
{
    switch (format) {
    case 'c':
        return ((const int8_t *)indices)[i];
    case 'C':
        return ((const uint8_t *)indices)[i];
    case 's':
        return ((const int16_t *)indices)[i];
    case 'S':
        return ((const uint16_t *)indices)[i];
    case 'i':
        return ((const int32_t *)indices)[i];
    case 'I':
        return ((const uint32_t *)indices)[i];
    default: /* l, L: as an unsigned number that is too large, it is negative here. */
        return ((const int64_t *)indices)[i];
    }
}

static int sa_read_array(const struct ArrowSchema *schema,
                         const struct ArrowArray *array, sa_document *out);

static int sa_read_dictionary(const struct ArrowSchema *schema,
                              const struct ArrowArray *array, sa_document *out)
{
    const struct ArrowArray *values = array->dictionary;
    if (strlen(schema->format) != 1 || !strchr("cCsSiIlL", schema->format[0]))
        return SA_ARROW_TYPE;
    if (!values || values->length < 0 || values->length > SA_MOST_ROWS)
        return SA_ARROW_LENGTH;
    sa_document *words = malloc(((size_t)values->length + 1) * sizeof(sa_document));
    if (!words)
        return SA_ARROW_MEMORY;
    int status = sa_read_array(schema->dictionary, values, words);
    for (int64_t i = 0; i < array->length && !status; i++) {
        const int64_t row = array->offset + i;
        if (sa_arrow_is_missing(array, row))
            continue; /* Its index may be anything. */
        const int64_t index = sa_arrow_index(array->buffers[1], schema->format[0], row);
        if (index < 0 || index >= values->length)
            status = SA_ARROW_INDEX;
        else
            out[i] = words[index];
    }
    free(words);
    return status;
}

/* Documents of an array, `size` -1 where one is missing. */
static int sa_read_array(const struct ArrowSchema *schema,
                         const struct ArrowArray *array, sa_document *out)
{
    const char *format = schema->format;
    int (*read)(const struct ArrowArray *, sa_document *) = NULL;
    int64_t n_buffers = 3;
    if (array->length < 0 || array->offset < 0 || array->length > SA_MOST_ROWS
        || array->offset > SA_MOST_ROWS)
        return SA_ARROW_LENGTH;
    for (int64_t i = 0; i < array->length; i++)
        out[i] = (sa_document){"", -1, SA_UTF8};
    if (!strcmp(format, "n")) /* null: nothing there at all */
        return SA_ARROW_OK;
    if (schema->dictionary)
        n_buffers = 2;
    else if (!strcmp(format, "u"))
        read = sa_read_offsets_32;
    else if (!strcmp(format, "U"))
        read = sa_read_offsets_64;
    else if (!strcmp(format, "vu"))
        read = sa_read_views;
    else
        return SA_ARROW_TYPE;
    if (array->n_buffers != n_buffers
        && !(read == sa_read_views && array->n_buffers > n_buffers))
        return SA_ARROW_BUFFERS;
    if (!array->length)
        return SA_ARROW_OK;
    if (!array->buffers || !array->buffers[1])
        return SA_ARROW_BUFFERS;
    if (schema->dictionary)
        return sa_read_dictionary(schema, array, out);
    const int status = read(array, out);
    for (int64_t i = 0; i < array->length && !status; i++)
        if (sa_arrow_is_missing(array, array->offset + i))
            out[i].size = -1;
    return status;
}

#endif
