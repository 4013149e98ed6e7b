/* N-grams of counted documents to the slots of their columns. */
#ifndef SPARSE_ADAGRAD_KEEPER_H
#define SPARSE_ADAGRAD_KEEPER_H

#include <stdint.h>
#include <stdlib.h>

#include "document.h"
#include "kept.h"
#include "ngrams.h"

/* Slots lie all over the memory; so many n-grams ahead they are asked for. */
enum { SA_SLOTS_AHEAD = 12 };

/* Zeroed by the caller, freed by sa_free_keeper. */
typedef struct {
    sa_kept *slots;
    int n_slots; /* of each column */
    sa_sink sink;
    sa_taken *taken;
    int64_t taken_room;
} sa_keeper;

static void sa_free_keeper(sa_keeper *keeper)
{
    sa_free_sink(&keeper->sink);
    free(keeper->taken);
}

static inline sa_kept *sa_slots_of(const sa_plan *plan, const sa_keeper *keeper,
                                   uint32_t hash)
{
    return keeper->slots + (int64_t)(sa_key(plan, hash) >> 1) * keeper->n_slots;
}

/* Count n-grams start to stop, which are a document's, of hashes of which there are
 * `n_hashes`. The sink is then ready to be given the document again, for the texts of
 * those that have taken slots; there are `n_taken`. */
static int sa_keep_hashes(const sa_plan *plan, sa_keeper *keeper,
                          const uint32_t *hashes, int64_t n_hashes, int64_t start,
                          int64_t stop, int64_t *n_taken)
{
    if (!sa_reserve((void **)&keeper->taken, &keeper->taken_room, stop - start,
                    sizeof(sa_taken)))
        return SA_NO_MEMORY;
    const sa_plan local = *plan;
    sa_taken *taken = keeper->taken;
    for (int64_t k = start; k < stop; k++) {
        if (k + SA_SLOTS_AHEAD < n_hashes)
            sa_prefetch(sa_slots_of(&local, keeper, hashes[k + SA_SLOTS_AHEAD]));
        sa_kept *slots = sa_slots_of(&local, keeper, hashes[k]);
        sa_kept *slot = sa_keep(slots, keeper->n_slots, hashes[k]);
        if (slot)
            *taken++ = (sa_taken){k - start, slot};
    }
    keeper->sink.taken = keeper->taken;
    keeper->sink.taken_end = taken;
    keeper->sink.n_passed = 0;
    *n_taken = taken - keeper->taken;
    return SA_OK;
}

/* Keep the n-grams of documents, whose hashes end where `ends` says. */
static int sa_keep_documents(const sa_plan *plan, sa_keeper *keeper,
                             const sa_document *documents, int64_t n,
                             const uint32_t *hashes, const int64_t *ends)
{
    int status = SA_OK;
    for (int64_t i = 0; i < n && !status; i++) {
        int64_t n_taken;
        status = sa_keep_hashes(plan, keeper, hashes, ends[n - 1], i ? ends[i - 1] : 0,
                                ends[i], &n_taken);
        if (!status && n_taken)
            status = sa_add_ngrams(plan, &keeper->sink, documents + i);
    }
    return status;
}

#endif
