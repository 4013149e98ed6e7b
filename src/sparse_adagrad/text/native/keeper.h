/* N-grams of counted documents to the slots of their columns.
 *
 * First all streaks are counted, in order, and who takes a slot is listed. Then those that
 * have kept theirs get their texts: on any number of threads, as no two share a slot. For
 * that their documents are tokenised again or, where single words of ASCII are all there
 * is to look for, just gone through up to the last of them.
 */
#ifndef SPARSE_ADAGRAD_KEEPER_H
#define SPARSE_ADAGRAD_KEEPER_H

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "count.h"
#include "document.h"
#include "kept.h"
#include "ngrams.h"

/* Slots lie all over the memory; so many n-grams ahead they are asked for. */
enum { SA_SLOTS_AHEAD = 16 };

/* Zeroed by the caller, who frees `taken`. */
typedef struct {
    sa_slot *slots;
    int n_slots; /* of each column */
    sa_kept_text *texts;
    int64_t *n_texts;
    sa_taken *taken;
    int64_t n_taken, room;
} sa_keeper;

static inline sa_slot *sa_slots_of(const sa_plan *plan, const sa_keeper *keeper,
                                   uint32_t hash)
{
    return keeper->slots + (int64_t)(sa_key(plan, hash) >> 1) * keeper->n_slots;
}

static inline sa_kept_text *sa_text_of(const sa_keeper *keeper, const sa_slot *slot)
{
    return keeper->texts + slot->text_1 - 1;
}

/* Count the streaks of documents from number `first` on, whose n-grams end where `ends`
 * says. */
static int sa_keep_documents(const sa_plan *plan, sa_keeper *keeper,
                             const sa_streak *streaks, int64_t n_streaks,
                             const int64_t *ends, int64_t first)
{
    const sa_plan local = *plan;
    int64_t document = 0;
    for (int64_t k = 0; k < n_streaks; k++) {
        if (k + SA_SLOTS_AHEAD < n_streaks)
            sa_prefetch(sa_slots_of(&local, keeper, streaks[k + SA_SLOTS_AHEAD].hash));
        sa_slot *slot = sa_keep(sa_slots_of(&local, keeper, streaks[k].hash),
                                keeper->n_slots, streaks + k);
        if (!slot)
            continue;
        if (!sa_reserve((void **)&keeper->taken, &keeper->room, keeper->n_taken + 1,
                        sizeof(sa_taken)))
            return SA_NO_MEMORY;
        while (ends[document] <= streaks[k].first)
            document++;
        const int64_t at = streaks[k].first - (document ? ends[document - 1] : 0);
        if (!slot->text_1)
            slot->text_1 = (uint32_t)++*keeper->n_texts;
        /* Until it is set, a text tells who was the last to take its slot. */
        memcpy(sa_text_of(keeper, slot)->text, &keeper->n_taken, sizeof(int64_t));
        keeper->taken[keeper->n_taken++] = (sa_taken){first + document, at, slot};
    }
    return SA_OK;
}

/* Leave those in the list that were the last to take their slots. */
static void sa_settle(sa_keeper *keeper)
{
    int64_t n = 0;
    for (int64_t k = 0; k < keeper->n_taken; k++) {
        int64_t last;
        memcpy(&last, sa_text_of(keeper, keeper->taken[k].slot)->text, sizeof(last));
        keeper->taken[n] = keeper->taken[k];
        n += last == k;
    }
    keeper->n_taken = n;
    for (int64_t k = 0; k < n; k++)
        sa_keep_text(sa_text_of(keeper, keeper->taken[k].slot), "", 0);
}

/* Where share `k` of `n` of the list starts: with a document. */
static int64_t sa_start_of_share(const sa_keeper *keeper, int64_t k, int64_t n)
{
    const sa_taken *taken = keeper->taken;
    int64_t start = keeper->n_taken * k / n;
    while (start && start < keeper->n_taken
           && taken[start].document == taken[start - 1].document)
        start++;
    return start;
}

/* Let the sink be given the document of the n-gram that stands in the list at `start`,
 * for the texts of all that are taken there; returns where the next document's are. */
static int64_t sa_look_for_texts(const sa_keeper *keeper, int64_t start, sa_sink *sink)
{
    int64_t end = start + 1;
    while (end < keeper->n_taken
           && keeper->taken[end].document == keeper->taken[start].document)
        end++;
    sink->texts = keeper->texts;
    sink->taken = keeper->taken + start;
    sink->taken_end = keeper->taken + end;
    sink->n_passed = 0;
    return end;
}

/* Give the words that stand in the list from `start` to before `end`, all of one document,
 * their texts, if up to there it is ASCII and no word is long; whether that was so. */
static int sa_fill_words(const sa_plan *plan, const sa_keeper *keeper,
                         const sa_document *document, int64_t start, int64_t end)
{
    int64_t n_words = 0;
    uint64_t before = 0;
    char block[SA_BLOCK], word[SA_BLOCK];
    for (int64_t at = 0; at < document->size && start < end; at += SA_BLOCK) {
        if (!sa_copy_block(document, at, block))
            return 0;
        const uint64_t here = sa_classify_block(block, 0);
        uint64_t second = here & (here << 1 | before >> 63) & ~(here << 2 | before >> 62);
        int64_t n_here = sa_count_bits(second);
        for (; start < end && keeper->taken[start].at < n_words + n_here; start++) {
            for (; n_words < keeper->taken[start].at; n_words++, n_here--)
                second &= second - 1;
            if (!sa_copy_block(document, at + sa_first_bit(second) - 1, word))
                return 0;
            const uint64_t in_word = sa_classify_block(word, plan->lowercase);
            if (!~in_word)
                return 0;
            sa_keep_text(sa_text_of(keeper, keeper->taken[start].slot), word,
                         sa_first_bit(~in_word));
        }
        n_words += n_here;
        before = here;
    }
    return start == end;
}

/* Give share `k` of `n` of the list their texts. */
static int sa_fill_share(const sa_plan *plan, const sa_keeper *keeper,
                         const sa_document *documents, int64_t k, int64_t n)
{
    sa_sink sink = {0};
    int status = SA_OK;
    const int are_words =
        plan->analyzer == SA_WORD && plan->max_n == 1 && !plan->stop_words.table;
    const int64_t end = sa_start_of_share(keeper, k + 1, n);
    for (int64_t at = sa_start_of_share(keeper, k, n); at < end && !status;) {
        const sa_document *document = documents + keeper->taken[at].document;
        const int64_t next = sa_look_for_texts(keeper, at, &sink);
        if (!are_words || !sa_fill_words(plan, keeper, document, at, next))
            status = sa_add_ngrams(plan, &sink, document);
        at = next;
    }
    sa_free_sink(&sink);
    return status;
}

#endif
