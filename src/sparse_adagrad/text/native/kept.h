/* The most frequent n-grams behind each column, in bounded memory.
 *
 * A column has a few slots, which count n-grams as Misra and Gries do (Finding repeated
 * elements, Science of Computer Programming 2, 1982): one that has a slot adds 1 to it;
 * another takes a slot that stands at 0; where there is none, each slot loses 1. With k
 * slots, an n-gram that makes up more than 1 / (k + 1) of its column has one in the end.
 * Texts lie elsewhere, one behind the other, since most columns are never met.
 */
#ifndef SPARSE_ADAGRAD_KEPT_H
#define SPARSE_ADAGRAD_KEPT_H

#include <stdint.h>
#include <string.h>

#include "distinct.h"
#include "document.h"
#include "ngrams.h"

/* Slots lie all over the memory; so many n-grams ahead they are asked for. */
enum { SA_SLOTS_AHEAD = 16 };

typedef struct {
    uint32_t hash;
    uint32_t count;
    uint32_t text_1; /* which text, and 1; 0 where it never had one */
} sa_slot;

typedef struct {
    uint16_t size; /* of the n-gram, of which the first SA_KEPT_BYTES are kept */
    char text[SA_KEPT_BYTES];
} sa_kept_text;

typedef struct {
    sa_slot *slots;
    int n_slots; /* of each column */
    sa_kept_text *texts;
    int64_t *n_texts;
} sa_keeper;

static inline sa_slot *sa_slots_of(const sa_plan *plan, const sa_keeper *keeper,
                                   uint32_t hash)
{
    return keeper->slots + (int64_t)(sa_key(plan, hash) >> 1) * keeper->n_slots;
}

static void sa_take_slot(const sa_keeper *keeper, sa_slot *slot, const sa_distinct *all,
                         const sa_ngram *ngram, uint32_t count)
{
    if (!slot->text_1)
        slot->text_1 = (uint32_t)++*keeper->n_texts;
    slot->hash = ngram->hash;
    slot->count = count;
    sa_kept_text *kept = keeper->texts + slot->text_1 - 1;
    const size_t bytes = ngram->size < SA_KEPT_BYTES ? ngram->size : SA_KEPT_BYTES;
    kept->size = ngram->size;
    memset(kept->text, 0, SA_KEPT_BYTES);
    memcpy(kept->text, all->text + ngram->text, bytes);
}

/* Count an n-gram in the slots of its column, as often as if it came so many times, with
 * no other one in between. */
static void sa_keep(const sa_plan *plan, const sa_keeper *keeper, const sa_distinct *all,
                    const sa_ngram *ngram, int64_t times)
{
    sa_slot *slots = sa_slots_of(plan, keeper, ngram->hash), *least = slots;
    uint32_t count = times < UINT32_MAX ? (uint32_t)times : UINT32_MAX;
    for (int k = 0; k < keeper->n_slots; k++) {
        if (slots[k].count && slots[k].hash == ngram->hash) {
            const uint32_t room = UINT32_MAX - slots[k].count;
            slots[k].count += count < room ? count : room;
            return;
        }
        if (slots[k].count < least->count)
            least = slots + k;
    }
    const uint32_t loss = count < least->count ? count : least->count;
    for (int k = 0; k < keeper->n_slots; k++)
        slots[k].count -= loss;
    if (count > loss)
        sa_take_slot(keeper, least, all, ngram, count - loss);
}

/* Count all n-grams; there is room for the texts of as many. */
static void sa_keep_all(const sa_plan *plan, const sa_keeper *keeper,
                        const sa_distinct *all)
{
    const sa_plan local = *plan;
    for (int64_t k = 0; k < all->n; k++) {
        if (k + SA_SLOTS_AHEAD < all->n)
            sa_prefetch(
                sa_slots_of(&local, keeper, all->ngrams[k + SA_SLOTS_AHEAD].hash));
        if (!all->ngrams[k].share_column)
            sa_keep(&local, keeper, all, all->ngrams + k, all->ngrams[k].count);
    }
    for (int64_t t = 0; t < all->n_order; t++)
        sa_keep(&local, keeper, all, all->ngrams + all->order[t], 1);
}

#endif
