/* A document as it lies in memory that somebody else owns. */
#ifndef SPARSE_ADAGRAD_DOCUMENT_H
#define SPARSE_ADAGRAD_DOCUMENT_H

#include <stdint.h>

/* How characters are stored. Only of UTF-8 nothing is known: it may be all ASCII, or not
 * be valid. The others are the forms of Python's str. */
enum { SA_ASCII, SA_UTF8, SA_UCS1, SA_UCS2, SA_UCS4 };

typedef struct {
    const void *data;
    int64_t size; /* in units of the encoding; -1 where the document is missing */
    int64_t encoding;
} sa_document;

/* What can go wrong with one. */
enum { SA_OK, SA_NO_MEMORY, SA_NOT_UTF8, SA_SURROGATE };

/* Ask for memory that will be written soon. */
static inline void sa_prefetch(const void *at)
{
#ifdef __GNUC__
    __builtin_prefetch(at, 1);
#else
    (void)at;
#endif
}

#endif
