/* The most frequent n-grams behind each column, in bounded memory.
 *
 * A column has a few slots, which count n-grams as Misra and Gries do (Finding repeated
 * elements, Science of Computer Programming 2, 1982): one that has a slot adds 1 to it;
 * another takes a slot that stands at 0; where there is none, each slot loses 1. With k
 * slots, an n-gram that makes up more than 1 / (k + 1) of its column has one in the end.
 * N-grams of the same hash count as one. Hashes are noted while documents are counted, in
 * streaks: slots lie all over the memory, and most words are among a few thousand. Only an
 * n-gram that takes a slot is looked for again, for its text. Texts lie one behind the
 * other, apart from the slots, as most columns never have one.
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
    uint32_t text_1; /* which text, and 1; 0 where it never had one */
} sa_slot;

typedef struct {
    uint16_t size; /* of the n-gram, of which the first SA_KEPT_BYTES are kept */
    char text[SA_KEPT_BYTES];
} sa_kept_text;

/* N-grams of one hash, with no other one of their column in between. */
typedef struct {
    uint32_t hash;
    uint32_t count;
    int64_t first; /* which one of all n-grams */
} sa_streak;

/* N-gram `at` of a document has taken a slot. */
typedef struct {
    int64_t document, at;
    sa_slot *slot;
} sa_taken;

/* Count a streak in the slots of its column, as if its n-grams came one by one. Returns
 * the slot that they have taken, whose text is then the caller's to set, or NULL. */
static inline sa_slot *sa_keep(sa_slot *slots, int n_slots, const sa_streak *streak)
{
    sa_slot *least = slots;
    for (int k = 0; k < n_slots; k++) {
        sa_slot *slot = slots + k;
        if (slot->count && slot->hash == streak->hash) {
            const uint32_t room = UINT32_MAX - slot->count;
            slot->count += streak->count < room ? streak->count : room;
            return NULL;
        }
        if (slot->count < least->count)
            least = slot;
    }
    const uint32_t loss = streak->count < least->count ? streak->count : least->count;
    for (int k = 0; k < n_slots; k++)
        slots[k].count -= loss;
    if (streak->count == loss)
        return NULL;
    least->hash = streak->hash;
    least->count = streak->count - loss;
    return least;
}

static void sa_keep_text(sa_kept_text *kept, const char *text, int64_t size)
{
    const size_t bytes = size < SA_KEPT_BYTES ? (size_t)size : SA_KEPT_BYTES;
    kept->size = (uint16_t)(size < UINT16_MAX ? size : UINT16_MAX);
    memset(kept->text, 0, SA_KEPT_BYTES);
    memcpy(kept->text, text, bytes);
}

#endif
