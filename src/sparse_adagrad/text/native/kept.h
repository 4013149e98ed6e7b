/* The most frequent n-grams behind each column, in bounded memory.
 *
 * A column has a few slots, which count n-grams as Misra and Gries do (Finding repeated
 * elements, Science of Computer Programming 2, 1982): one that has a slot adds 1 to it;
 * another takes a slot that stands at 0; where there is none, each slot loses 1. With k
 * slots, an n-gram that makes up more than 1 / (k + 1) of its column has one in the end.
 */
#ifndef SPARSE_ADAGRAD_KEPT_H
#define SPARSE_ADAGRAD_KEPT_H

#include <stddef.h>
#include <stdint.h>
#include <string.h>

enum { SA_KEPT_BYTES = 54 };

typedef struct {
    uint32_t hash;
    uint32_t count;
    uint16_t size; /* of the n-gram, of which the first SA_KEPT_BYTES are kept */
    char text[SA_KEPT_BYTES];
} sa_kept;

static void sa_keep(sa_kept *slots, int n_slots, uint32_t hash, const char *text,
                    ptrdiff_t size)
{
    const uint16_t shown = (uint16_t)(size < UINT16_MAX ? size : UINT16_MAX);
    const size_t bytes = size < SA_KEPT_BYTES ? (size_t)size : SA_KEPT_BYTES;
    sa_kept *empty = NULL;
    for (int k = 0; k < n_slots; k++) {
        sa_kept *slot = slots + k;
        if (!slot->count)
            empty = empty ? empty : slot;
        else if (slot->hash == hash && slot->size == shown
                 && !memcmp(slot->text, text, bytes)) {
            slot->count += slot->count < UINT32_MAX;
            return;
        }
    }
    if (!empty) {
        for (int k = 0; k < n_slots; k++)
            slots[k].count--;
        return;
    }
    empty->hash = hash;
    empty->count = 1;
    empty->size = shown;
    memset(empty->text, 0, SA_KEPT_BYTES);
    memcpy(empty->text, text, bytes);
}

#endif
