"""Documents to counts of hashed n-grams; the stages stand in ``native/ngrams.h``."""

import numpy as np

from cpython.unicode cimport PyUnicode_AsUTF8AndSize
from libc.stdint cimport int32_t, int64_t, uint8_t, uint32_t
from libc.stdlib cimport free, malloc
from libc.string cimport memcpy, memset


cdef extern from "Python.h" nogil:
    bint Py_UNICODE_ISALNUM(Py_UCS4 character)
    bint Py_UNICODE_ISSPACE(Py_UCS4 character)


cdef extern from "native/ngrams.h" nogil:
    ctypedef struct sa_plan:
        int analyzer
        int alternate_sign
        Py_ssize_t min_n
        Py_ssize_t max_n
        uint32_t n_features
        uint32_t column_mask
        char lowered[128]
        char letters[256]
        const uint8_t* word_bits
        const uint8_t* space_bits
        const int32_t* stop_table
        uint32_t stop_mask
        const char* stop_text
        const int64_t* stop_starts

    ctypedef struct sa_rows:
        int32_t* indices
        int32_t* counts
        Py_ssize_t nnz

    int sa_add_document(
        const sa_plan* plan, sa_rows* rows, const char* text, Py_ssize_t size
    )
    void sa_free_rows(sa_rows* rows)
    uint32_t sa_murmur3(const char* text, Py_ssize_t size)


ANALYZERS = {"word": 0, "char": 1, "char_wb": 2}

cdef enum:
    CODE_POINTS = 0x110000
    BIT_BYTES = 0x22000  # an eighth

# What `re` takes for \w, and str.split for white; filled once, when the module loads.
cdef uint8_t WORD_BITS[BIT_BYTES]
cdef uint8_t SPACE_BITS[BIT_BYTES]


cdef void classify_characters() noexcept nogil:
    cdef Py_ssize_t c
    for c in range(CODE_POINTS):
        if Py_UNICODE_ISALNUM(<Py_UCS4> c) or c == 95:
            WORD_BITS[c >> 3] |= 1 << (c & 7)
        if Py_UNICODE_ISSPACE(<Py_UCS4> c):
            SPACE_BITS[c >> 3] |= 1 << (c & 7)


classify_characters()


cdef class StopWords:
    """A set of words to leave out, for the compiled code.

    Parameters
    ----------
    words : iterable of str
    """

    cdef const int32_t[::1] table
    cdef const int64_t[::1] starts
    cdef bytes text
    cdef uint32_t mask

    def __init__(self, words):
        encoded = [each.encode() for each in words]
        cdef uint32_t size = 2
        while size < 2 * len(encoded) + 2:
            size *= 2
        cdef int32_t[::1] table = np.full(size, -1, np.int32)
        cdef uint32_t slot
        cdef bytes word
        self.mask = size - 1
        for place, word in enumerate(encoded):
            # The hash reads beyond the end.
            slot = sa_murmur3(word + bytes(4), len(word)) & self.mask
            while table[slot] >= 0:
                slot = (slot + 1) & self.mask
            table[slot] = place
        self.table = table
        self.text = b"".join(encoded)
        self.starts = np.cumsum([0, *map(len, encoded)], dtype=np.int64)


def count_ngrams(
    list documents,
    *,
    str analyzer,
    bint lowercase,
    bint alternate_sign,
    tuple ngram_range,
    uint32_t n_features,
    StopWords stop_words,
):
    """Count the hashed n-grams of documents.

    Parameters
    ----------
    documents : list of str
        Lower-cased beforehand where they go beyond ASCII.
    analyzer : {"word", "char", "char_wb"}
    lowercase : bool
        Whether to lower ASCII letters.
    alternate_sign : bool
        Whether half of the n-grams count -1.
    ngram_range : tuple of (int, int)
    n_features : int
        Columns, up to 2^31 - 1.
    stop_words : StopWords or None

    Returns
    -------
    indices : ndarray of shape (nnz,), int32
        Sorted in each row.
    counts : ndarray of shape (nnz,), int32
        0 where n-grams of both signs have cancelled out.
    indptr : ndarray of shape (n_documents + 1,), int64
    """
    cdef Py_ssize_t n_documents = len(documents)
    cdef sa_plan plan
    cdef sa_rows rows
    cdef Py_ssize_t i
    cdef bint enough = True
    memset(&rows, 0, sizeof(rows))
    memset(&plan, 0, sizeof(plan))
    plan.analyzer = ANALYZERS[analyzer]
    plan.alternate_sign = alternate_sign
    plan.min_n, plan.max_n = ngram_range
    plan.n_features = n_features
    if n_features & (n_features - 1) == 0:
        plan.column_mask = n_features - 1
    for i in range(128):
        plan.lowered[i] = i + 32 if lowercase and 65 <= i <= 90 else i
        if WORD_BITS[i >> 3] >> (i & 7) & 1:
            plan.letters[i] = plan.lowered[i]
    plan.word_bits, plan.space_bits = WORD_BITS, SPACE_BITS
    if stop_words is not None:
        plan.stop_table = &stop_words.table[0]
        plan.stop_mask = stop_words.mask
        plan.stop_text = stop_words.text
        plan.stop_starts = &stop_words.starts[0]
    indptr_array = np.zeros(n_documents + 1, np.int64)
    cdef int64_t[::1] indptr = indptr_array
    cdef const char** texts = <const char**> malloc((n_documents + 1) * sizeof(char*))
    cdef Py_ssize_t* sizes = <Py_ssize_t*> malloc(
        (n_documents + 1) * sizeof(Py_ssize_t)
    )
    try:
        if texts == NULL or sizes == NULL:
            raise MemoryError("no memory for the documents")
        for i in range(n_documents):
            texts[i] = PyUnicode_AsUTF8AndSize(documents[i], &sizes[i])
        with nogil:
            for i in range(n_documents):
                enough = sa_add_document(&plan, &rows, texts[i], sizes[i])
                if not enough:
                    break
                indptr[i + 1] = rows.nnz
        if not enough:
            raise MemoryError(f"no memory to count document {i}")
        indices = np.empty(rows.nnz, np.int32)
        counts = np.empty(rows.nnz, np.int32)
        copy_out(rows.indices, rows.nnz, indices)
        copy_out(rows.counts, rows.nnz, counts)
    finally:
        free(texts)
        free(sizes)
        sa_free_rows(&rows)
    return indices, counts, indptr_array


cdef void copy_out(const int32_t* numbers, Py_ssize_t n, int32_t[::1] out) noexcept:
    if n:
        memcpy(&out[0], numbers, n * sizeof(int32_t))


def add_documents(const int32_t[::1] indices, int64_t[::1] document_frequency, int by):
    """Add `by` to the document frequency of every column that is listed."""
    cdef Py_ssize_t k
    with nogil:
        for k in range(indices.shape[0]):
            document_frequency[indices[k]] += by
