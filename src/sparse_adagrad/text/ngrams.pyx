"""Documents to counts of hashed n-grams; the stages stand in ``native/ngrams.h``."""

from threading import Lock, get_ident

cimport cython
import numpy as np

from cython cimport floating
from libc.stdint cimport int32_t, int64_t, uint16_t, uint32_t
from libc.stdlib cimport free
from libc.string cimport memcpy, memset

from sparse_adagrad.text.documents cimport (
    SA_NO_MEMORY, SA_OK, Documents, sa_document
)

from sparse_adagrad.kernels.cpu import cpu_variant
from sparse_adagrad.text.characters import CHARACTERS, fold, with_cases


cdef extern from "native/keeper.h" nogil:
    void sa_prefetch(const void* at)

    enum:
        SA_WORD
        SA_CHAR
        SA_CHAR_WB
        SA_KEPT_BYTES
        SA_HASH_READS_ON

    ctypedef void (*sa_hash_many)(
        const char* text,
        const int64_t* starts,
        const int64_t* ends,
        int64_t n,
        uint32_t* out,
    ) noexcept
    sa_hash_many sa_hash_variant(int avx2)

    ctypedef struct sa_characters:
        const uint16_t* pages
        const uint32_t* entries
        const uint32_t* expansions
        const uint32_t* folded
        const sa_characters* (*with_cases)() noexcept nogil

    bint sa_are_there(const sa_characters* all)
    void sa_set(
        sa_characters* all, const uint16_t* pages, const uint32_t* entries
    )

    ctypedef struct sa_stop_words:
        const int32_t* table
        uint32_t mask
        const char* text
        const int64_t* starts

    ctypedef struct sa_plan:
        int analyzer
        int lowercase
        int alternate_sign
        bint note_hashes
        sa_hash_many hash_many
        int64_t min_n
        int64_t max_n
        uint32_t n_features
        uint32_t column_mask
        int key_bits
        sa_characters characters
        sa_stop_words stop_words

    ctypedef struct sa_rows:
        int32_t* indices
        int32_t* counts
        int64_t nnz

    ctypedef packed struct sa_slot:
        uint32_t hash
        uint32_t count
        uint32_t text_1

    ctypedef packed struct sa_kept_text:
        uint16_t size
        char[54] text

    ctypedef struct sa_streak:
        pass

    ctypedef struct sa_sink:
        sa_rows rows
        sa_streak* streaks
        int64_t n_streaks
        int64_t n_ngrams
        double expected_text

    ctypedef struct sa_taken:
        int64_t document

    ctypedef struct sa_keeper:
        sa_slot* slots
        int n_slots
        sa_kept_text* texts
        int64_t* n_texts
        sa_taken* taken
        int64_t n_taken

    int64_t sa_bytes_of_sink(const sa_sink* sink)
    void sa_empty_sink(sa_sink* sink)
    void sa_begin_share(sa_sink* sink)
    void sa_free_sink(sa_sink* sink)
    int sa_add_runs(
        const sa_plan* plan,
        sa_sink* sink,
        const char* text,
        const int64_t* starts,
        const int64_t* ends,
        int64_t n,
    )
    int sa_finish_row(sa_rows* rows, int key_bits)
    int sa_add_documents(
        const sa_plan* plan,
        sa_sink* sink,
        const sa_document* documents,
        int64_t n,
        int64_t* ends,
        int64_t* ngram_ends,
        int64_t* at,
    )
    int sa_keep_documents(
        const sa_plan* plan,
        sa_keeper* keeper,
        const sa_streak* streaks,
        int64_t n_streaks,
        const int64_t* ends,
        int64_t first,
    )
    void sa_settle(sa_keeper* keeper)
    int64_t sa_look_for_texts(const sa_keeper* keeper, int64_t start, sa_sink* sink)
    int sa_fill_share(
        const sa_plan* plan,
        const sa_keeper* keeper,
        const sa_document* documents,
        int64_t k,
        int64_t n,
    )
    uint32_t sa_murmur3(const char* text, Py_ssize_t size)


# As the kernels have it: SPARSE_ADAGRAD_CPU=portable forces the portable one here too.
cdef sa_hash_many HASH_MANY = sa_hash_variant(cpu_variant() != "portable")
if HASH_MANY == NULL:
    HASH_MANY = sa_hash_variant(False)


def hash_runs(
    bytes text, const int64_t[::1] starts, const int64_t[::1] ends, bint avx2
):
    """Hash runs of a text by one variant, for tests; None where it does not run.

    Both `starts` and `ends` rise.
    """
    assert starts.shape[0] == ends.shape[0]
    cdef sa_hash_many hash_many = sa_hash_variant(avx2)
    if hash_many == NULL:
        return None
    for start, end in zip(starts, ends, strict=True):
        assert 0 <= start <= end <= len(text)
    out_array = np.empty(starts.shape[0], np.uint32)
    cdef uint32_t[::1] out = out_array
    cdef bytes spaced = text + bytes(SA_HASH_READS_ON)
    if starts.shape[0]:
        hash_many(spaced, &starts[0], &ends[0], starts.shape[0], &out[0])
    return out_array


# Made when the first capital sigma comes, and the same for all.
cdef sa_characters WITH_CASES
memset(&WITH_CASES, 0, sizeof(sa_characters))
CASES_LOCK = Lock()
CASES_ARRAYS = []
# Where it could not be made: what is to be raised, by thread.
CASES_ERRORS = {}


cdef const sa_characters* characters_with_cases() noexcept nogil:
    if not sa_are_there(&WITH_CASES):
        with gil:
            try:
                make_cases()
            except BaseException as error:
                CASES_ERRORS[get_ident()] = error
                return NULL
    return &WITH_CASES


cdef make_cases():
    cdef const uint16_t[::1] pages
    cdef const uint32_t[::1] entries
    with CASES_LOCK:
        if sa_are_there(&WITH_CASES):
            return
        pages, entries, _ = with_cases()
        CASES_ARRAYS.extend([pages, entries])
        sa_set(&WITH_CASES, &pages[0], &entries[0])


cdef raise_cases_error():
    """Raise what came up in this thread while the table was made."""
    error = CASES_ERRORS.pop(get_ident(), None)
    if error is not None:
        raise error


ANALYZERS = {"word": SA_WORD, "char": SA_CHAR, "char_wb": SA_CHAR_WB}

# A slot of a column: an n-gram's hash, how much more often than others it was met, and
# the number of its text, from 1 on.
SLOT_DTYPE = np.dtype(
    [("hash", np.uint32), ("count", np.uint32), ("text_1", np.uint32)]
)
# The length of an n-gram in bytes, and the first of them.
TEXT_DTYPE = np.dtype([("size", np.uint16), ("text", f"S{SA_KEPT_BYTES}")])


cdef class Plan:
    """How documents become columns.

    Parameters
    ----------
    analyzer : {"word", "char", "char_wb"}
    lowercase, alternate_sign : bool
    ngram_range : tuple of (int, int)
        Both at least 1.
    n_features : int
        Up to 2^31 - 1.
    stop_words : collection of str, or None
    note_hashes : bool
        Whether counts are to be given to a `Keeper`.
    """

    cdef sa_plan plan
    cdef list owners  # what `plan` points to

    def __init__(
        self,
        *,
        analyzer,
        lowercase,
        alternate_sign,
        ngram_range,
        n_features,
        stop_words,
        note_hashes,
    ):
        memset(&self.plan, 0, sizeof(sa_plan))
        self.plan.analyzer = ANALYZERS[analyzer]
        self.plan.lowercase = bool(lowercase)
        self.plan.alternate_sign = bool(alternate_sign)
        self.plan.note_hashes = note_hashes
        self.plan.hash_many = HASH_MANY
        self.plan.min_n, self.plan.max_n = ngram_range
        self.plan.n_features = n_features
        if n_features & (n_features - 1) == 0:
            self.plan.column_mask = n_features - 1
        self.plan.key_bits = (n_features - 1).bit_length() + 1
        self.owners = []
        self.set_characters(
            CHARACTERS.pages,
            CHARACTERS.entries,
            CHARACTERS.expansions,
            fold(bool(lowercase)),
        )
        if stop_words:
            self.set_stop_words([word for word in stop_words if isinstance(word, str)])

    cdef set_characters(
        self,
        const uint16_t[::1] pages,
        const uint32_t[::1] entries,
        const uint32_t[::1] expansions,
        const uint32_t[::1] folded,
    ):
        self.owners += [pages, entries, expansions, folded]
        self.plan.characters.pages = &pages[0]
        self.plan.characters.entries = &entries[0]
        self.plan.characters.expansions = &expansions[0]
        self.plan.characters.folded = &folded[0]
        self.plan.characters.with_cases = characters_with_cases

    cdef set_stop_words(self, list words):
        # A word with a surrogate equals no word of a text.
        encoded = [each.encode(errors="replace") for each in words]
        cdef uint32_t size = 2
        while size < 2 * len(encoded) + 2:
            size *= 2
        table_array = np.full(size, -1, np.int32)
        cdef int32_t[::1] table = table_array
        cdef uint32_t slot
        cdef bytes word
        for place, word in enumerate(encoded):
            # The hash reads on beyond the end.
            slot = sa_murmur3(
                word + bytes(SA_HASH_READS_ON), len(word)
            ) & (size - 1)
            while table[slot] >= 0:
                slot = (slot + 1) & (size - 1)
            table[slot] = place
        cdef bytes text = b"".join(encoded)
        cdef const int64_t[::1] starts = np.cumsum(
            [0, *map(len, encoded)], dtype=np.int64
        )
        self.owners += [table, text, starts]
        self.plan.stop_words.table = &table[0]
        self.plan.stop_words.mask = size - 1
        self.plan.stop_words.text = text
        self.plan.stop_words.starts = &starts[0]


# Memory of sinks is kept for the next ones: to touch new pages takes long, and threads
# wait for each other there. So many are kept at most, and so many bytes of all.
cdef enum:
    N_SPARE_SINKS = 64
    SPARE_BYTES = 1 << 26

cdef sa_sink[N_SPARE_SINKS] spare_sinks
cdef int n_spare_sinks = 0
cdef int64_t spare_bytes = 0
cdef cython.pymutex spare_lock


cdef class Sink:
    """Memory for the rows of all documents that one thread counts.

    Parameters
    ----------
    expected_text : float
        Of these documents, in units of storage; more or less of it may come.
    """

    cdef sa_sink sink

    def __cinit__(self):
        global n_spare_sinks, spare_bytes
        memset(&self.sink, 0, sizeof(sa_sink))
        with spare_lock:
            if n_spare_sinks:
                n_spare_sinks -= 1
                self.sink = spare_sinks[n_spare_sinks]
                spare_bytes -= sa_bytes_of_sink(&self.sink)

    def __init__(self, expected_text):
        self.sink.expected_text = expected_text

    def __dealloc__(self):
        global n_spare_sinks, spare_bytes
        cdef int64_t size = sa_bytes_of_sink(&self.sink)
        cdef bint kept
        sa_empty_sink(&self.sink)
        with spare_lock:
            kept = n_spare_sinks < N_SPARE_SINKS and spare_bytes + size <= SPARE_BYTES
            if kept:
                spare_sinks[n_spare_sinks] = self.sink
                n_spare_sinks += 1
                spare_bytes += size
        if not kept:
            sa_free_sink(&self.sink)


cdef class Counts:
    """Rows of signed counts, sorted by column; where signs cancel out a 0 stays.

    Attributes
    ----------
    nnz : int
    added : int
        How often it has been added to document frequencies.
    ends : ndarray of shape (n_rows,), int64
        Entries up to the end of each row.
    ngram_ends : ndarray of shape (n_rows,), int64
        The same of n-grams that were noted.
    """

    cdef Sink sink
    cdef int64_t first  # of the sink's entries
    cdef readonly int64_t nnz
    cdef readonly int added
    cdef int64_t first_streak, n_streaks
    cdef readonly object ends, ngram_ends

    @staticmethod
    cdef Counts begin(Sink sink):
        """A share of the documents: what is counted until it is closed."""
        cdef Counts self = Counts.__new__(Counts)
        sa_begin_share(&sink.sink)
        self.sink = sink
        self.first = sink.sink.rows.nnz
        # The first streak is none.
        self.first_streak = max(1, sink.sink.n_streaks)
        return self

    cdef close(self, ends, ngram_ends):
        self.nnz = self.sink.sink.rows.nnz - self.first
        self.n_streaks = max(0, self.sink.sink.n_streaks - self.first_streak)
        self.ends, self.ngram_ends = ends, ngram_ends

    def add_to(self, int64_t[::1] document_frequency, int by):
        """Add `by` to the document frequency of every column of every row."""
        cdef const int32_t* indices = self.sink.sink.rows.indices + self.first
        cdef int64_t k
        # No interrupt comes between the note and what it says.
        self.added += by
        with nogil:
            for k in range(self.nnz):
                # Frequencies lie all over the memory.
                if k + 16 < self.nnz:
                    sa_prefetch(&document_frequency[indices[k + 16]])
                document_frequency[indices[k]] += by

    def write(self, int32_t[::1] indices, floating[::1] data):
        """Copy columns and counts to arrays of shape (nnz,)."""
        if not self.nnz:
            return
        cdef sa_rows* rows = &self.sink.sink.rows
        cdef const int32_t* counts = rows.counts + self.first
        cdef int64_t k
        with nogil:
            memcpy(
                &indices[0], rows.indices + self.first, self.nnz * sizeof(int32_t)
            )
            for k in range(self.nnz):
                data[k] = <floating> counts[k]


cdef raise_fault(int status, Documents documents, Py_ssize_t i):
    """Raise what Python says of the document."""
    if status == SA_NO_MEMORY:
        raise MemoryError(f"no memory for the n-grams of document {i}")
    try:
        text = documents[i]
        text.encode()
    except UnicodeError as error:
        error.reason += f" (document {i})"
        raise
    raise AssertionError(f"document {i} has been taken for invalid")


def spare_memory():
    """Bytes that are kept for the next sinks."""
    with spare_lock:
        return spare_bytes


def count_documents(
    Plan plan, Sink sink, Documents documents, Py_ssize_t start, Py_ssize_t stop
):
    """Count the n-grams of a run of documents.

    Raises
    ------
    UnicodeError
        If one is not valid UTF-8 or, where single characters count, has a surrogate.
    """
    assert 0 <= start <= stop <= documents.n
    cdef Counts counts = Counts.begin(sink)
    ends_array = np.empty(stop - start, np.int64)
    ngram_ends_array = np.empty(stop - start, np.int64)
    cdef int64_t[::1] ends = ends_array
    cdef int64_t[::1] ngram_ends = ngram_ends_array
    cdef int64_t at = 0
    cdef int status = SA_OK
    if stop > start:
        with nogil:
            status = sa_add_documents(
                &plan.plan,
                &sink.sink,
                documents.items + start,
                stop - start,
                &ends[0],
                &ngram_ends[0],
                &at,
            )
    raise_cases_error()
    if status != SA_OK:
        raise_fault(status, documents, start + at)
    counts.close(ends_array, ngram_ends_array)
    return counts


def count_ngrams(Plan plan, documents):
    """Count n-grams that were made in Python: str or bytes, an iterable a document."""
    cdef Sink sink = Sink(0)
    cdef Counts counts = Counts.begin(sink)
    ends, ngram_ends = [], []
    for ngrams in documents:
        add_python_ngrams(plan, &sink.sink, ngrams)
        if sa_finish_row(&sink.sink.rows, plan.plan.key_bits) != SA_OK:
            raise MemoryError("no memory for the n-grams")
        ends.append(sink.sink.rows.nnz)
        ngram_ends.append(sink.sink.n_ngrams)
    counts.close(np.array(ends, np.int64), np.array(ngram_ends, np.int64))
    return counts


cdef add_python_ngrams(Plan plan, sa_sink* sink, ngrams):
    cdef bytes spaced
    cdef int64_t start = 0
    cdef int64_t end
    for ngram in ngrams:
        if isinstance(ngram, str):
            ngram = ngram.encode()
        elif not isinstance(ngram, bytes):
            raise TypeError(
                f"An n-gram is of type {type(ngram).__name__}, but str is expected."
            )
        spaced = ngram + bytes(SA_HASH_READS_ON)
        end = len(ngram)
        if sa_add_runs(&plan.plan, sink, spaced, &start, &end, 1) != SA_OK:
            raise MemoryError("no memory for the n-grams")


cdef class Keeper:
    """Keeps the most frequent n-grams of columns in slots.

    Parameters
    ----------
    plan : Plan
    slots : ndarray of shape (n_features, n_slots), SLOT_DTYPE
        Zeroed at first; updated in place. An n-gram that takes a slot waits for its
        text until `fill`.
    texts : ndarray, TEXT_DTYPE
        Updated, too; with room for one for each n-gram that comes, or each slot.
    n_texts : ndarray of shape (1,), int64
        How many of them slots have; updated.
    """

    cdef Plan plan
    cdef sa_keeper keeper
    cdef object owners  # what `keeper` points to
    cdef Py_ssize_t room  # for texts
    cdef Py_ssize_t most  # of them that there can be

    def __cinit__(self):
        memset(&self.keeper, 0, sizeof(sa_keeper))

    def __dealloc__(self):
        free(self.keeper.taken)

    def __init__(
        self,
        Plan plan,
        sa_slot[:, ::1] slots,
        sa_kept_text[::1] texts,
        int64_t[::1] n_texts,
    ):
        assert slots.shape[0] == plan.plan.n_features and slots.shape[1] > 0
        self.plan = plan
        self.owners = slots, texts, n_texts
        self.room = texts.shape[0]
        self.most = slots.shape[0] * slots.shape[1]
        assert self.room > 0
        self.keeper.slots = &slots[0, 0]
        self.keeper.n_slots = slots.shape[1]
        self.keeper.texts = &texts[0]
        self.keeper.n_texts = &n_texts[0]

    def count(self, list parts):
        """Count the n-grams of runs of documents, and who has taken a slot in the end.

        All at once: no interrupt comes in between.
        """
        cdef Py_ssize_t first = 0
        try:
            for part in parts:
                self.count_part(part, first)
                first += len(part.ends)
        finally:
            sa_settle(&self.keeper)

    cdef count_part(self, Counts counts, Py_ssize_t first):
        cdef const int64_t[::1] ends = counts.ngram_ends
        cdef int status = SA_OK
        if counts.n_streaks:
            needed = min(self.keeper.n_texts[0] + ends[ends.shape[0] - 1], self.most)
            assert self.room >= needed
            with nogil:
                status = sa_keep_documents(
                    &self.plan.plan,
                    &self.keeper,
                    counts.sink.sink.streaks + counts.first_streak,
                    counts.n_streaks,
                    &ends[0],
                    first,
                )
        if status != SA_OK:
            raise MemoryError("no memory to keep n-grams")

    def fill(self, texts, int64_t share, int64_t n_shares):
        """Copy the texts of a share of those that have taken slots.

        Where n-grams were made in Python, of which there is one run, those of all.
        """
        if isinstance(texts, Documents):
            self.fill_from_documents(texts, share, n_shares)
        else:
            self.fill_from_ngrams(texts)

    cdef fill_from_documents(
        self, Documents documents, int64_t share, int64_t n_shares
    ):
        cdef int status
        with nogil:
            status = sa_fill_share(
                &self.plan.plan, &self.keeper, documents.items, share, n_shares
            )
        raise_cases_error()
        if status != SA_OK:
            raise MemoryError("no memory to keep n-grams")

    cdef fill_from_ngrams(self, list documents):
        cdef sa_sink sink
        memset(&sink, 0, sizeof(sa_sink))
        cdef int64_t start = 0
        while start < self.keeper.n_taken:
            ngrams = documents[self.keeper.taken[start].document]
            start = sa_look_for_texts(&self.keeper, start, &sink)
            add_python_ngrams(self.plan, &sink, ngrams)
