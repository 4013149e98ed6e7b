"""Texts where they are: str objects and Arrow columns, read without copies."""

import numpy as np

from cpython.pycapsule cimport PyCapsule_GetPointer
from cpython.unicode cimport PyUnicode_DATA, PyUnicode_GET_LENGTH, PyUnicode_KIND
from libc.stdint cimport int32_t, int64_t, uint8_t
from libc.stdlib cimport free, realloc
from libc.string cimport memset


cdef extern from "Python.h":
    bint PyUnicode_IS_ASCII(object text)
    object PyUnicode_DecodeUTF8(const char* data, Py_ssize_t size, const char* errors)


cdef extern from "native/arrow.h":
    struct ArrowSchema:
        const char* format
        void (*release)(ArrowSchema*)

    struct ArrowArray:
        int64_t length
        void (*release)(ArrowArray*)

    struct ArrowArrayStream:
        int (*get_schema)(ArrowArrayStream*, ArrowSchema*)
        int (*get_next)(ArrowArrayStream*, ArrowArray*)
        const char* (*get_last_error)(ArrowArrayStream*)
        void (*release)(ArrowArrayStream*)

    enum:
        SA_ARROW_OK
        SA_ARROW_TYPE
        SA_ARROW_BUFFERS
        SA_ARROW_LENGTH
        SA_ARROW_OFFSETS
        SA_ARROW_VIEW
        SA_ARROW_INDEX
        SA_ARROW_MEMORY

    const int64_t SA_MOST_ROWS

    int sa_read_array(
        const ArrowSchema* schema, const ArrowArray* array, sa_document* out
    ) nogil


cdef dict ARROW_FAULTS = {
    SA_ARROW_BUFFERS: "its buffers are not those of its type",
    SA_ARROW_LENGTH: "its length or offset is out of range",
    SA_ARROW_OFFSETS: "its offsets are negative or fall",
    SA_ARROW_VIEW: "a view lies outside of its buffer",
    SA_ARROW_INDEX: "an index lies outside of the dictionary",
}


cdef class ArrowChunk:
    """An array that was moved here, and is given back in the end."""

    cdef ArrowArray array

    def __cinit__(self):
        memset(&self.array, 0, sizeof(ArrowArray))

    def __dealloc__(self):
        if self.array.release != NULL:
            self.array.release(&self.array)


cdef class ArrowType:
    """The same for a schema."""

    cdef ArrowSchema schema

    def __cinit__(self):
        memset(&self.schema, 0, sizeof(ArrowSchema))

    def __dealloc__(self):
        if self.schema.release != NULL:
            self.schema.release(&self.schema)


cdef class Documents:
    """A sequence of texts for the compiled code.

    Made by `of_strings`, `of_arrow` or `of_utf8`. What it was made of is kept alive.
    """

    def __cinit__(self):
        self.items = NULL
        self.n = 0
        self.owners = []

    def __dealloc__(self):
        free(self.items)

    def __len__(self):
        return self.n

    def __getitem__(self, Py_ssize_t i):
        if not 0 <= i < self.n:
            raise IndexError(f"document {i} of {self.n}")
        cdef sa_document* item = &self.items[i]
        if item.encoding != SA_UTF8:
            return self.owners[0][i]
        return PyUnicode_DecodeUTF8(<const char*> item.data, item.size, NULL)

    @property
    def utf8(self):
        """Text and offsets that `of_utf8` was given."""
        text, offsets = self.owners
        return np.asarray(text), np.asarray(offsets)

    @property
    def text(self):
        """Units of storage of all."""
        cdef int64_t total = 0
        cdef Py_ssize_t i
        for i in range(self.n):
            total += self.items[i].size
        return total

    def cuts(self, Py_ssize_t n_shares):
        """Where shares of about as much text end, and the first starts: so many at
        most, fewer where documents are longer."""
        cdef int64_t text = self.text
        cdef int64_t so_far = 0
        cdef Py_ssize_t i
        cuts = [0]
        for i in range(self.n):
            if len(cuts) < n_shares and so_far * n_shares >= text * len(cuts):
                cuts.append(i)
            so_far += self.items[i].size
        return [*cuts, self.n]

    @staticmethod
    def of_strings(list texts):
        """Take str objects, and the list: nobody else may take any out of it."""
        cdef Documents self = Documents()
        cdef sa_document* item
        cdef Py_ssize_t i
        self.owners.append(texts)
        allocate(self, len(texts))
        for i in range(len(texts)):
            text = texts[i]
            if not isinstance(text, str):
                raise TypeError(f"Document {i} is of type {type(text).__name__}.")
            item = &self.items[i]
            item.data = PyUnicode_DATA(text)
            item.size = PyUnicode_GET_LENGTH(text)
            if PyUnicode_IS_ASCII(text):
                item.encoding = SA_ASCII
            else:
                item.encoding = {1: SA_UCS1, 2: SA_UCS2, 4: SA_UCS4}[
                    PyUnicode_KIND(text)
                ]
            self.n += 1
        return self

    @staticmethod
    def of_arrow(column, bint empty_if_missing):
        """Take a column of strings that offers Arrow's PyCapsule interface.

        Raises
        ------
        TypeError
            If it is not a column of strings.
        ValueError
            If a document is missing, or the column contradicts itself.
        """
        cdef Documents self = Documents()
        cdef ArrowType kind
        cdef ArrowChunk chunk
        cdef ArrowArrayStream* stream
        cdef ArrowSchema* schema
        cdef ArrowArray* array
        if hasattr(column, "__arrow_c_stream__"):
            capsule = column.__arrow_c_stream__()
            stream = <ArrowArrayStream*> PyCapsule_GetPointer(
                capsule, "arrow_array_stream"
            )
            check_held(stream.release != NULL)
            kind = ArrowType()
            check_stream(stream, stream.get_schema(stream, &kind.schema))
            while True:
                chunk = ArrowChunk()
                check_stream(stream, stream.get_next(stream, &chunk.array))
                if chunk.array.release == NULL:
                    break
                append_chunk(self, &kind.schema, chunk)
        else:
            schema_capsule, array_capsule = column.__arrow_c_array__()
            schema = <ArrowSchema*> PyCapsule_GetPointer(schema_capsule, "arrow_schema")
            array = <ArrowArray*> PyCapsule_GetPointer(array_capsule, "arrow_array")
            check_held(schema.release != NULL and array.release != NULL)
            chunk = ArrowChunk()
            chunk.array = array[0]
            array.release = NULL  # Moved.
            append_chunk(self, schema, chunk)
        settle_missing(self, empty_if_missing)
        return self

    @staticmethod
    def of_utf8(const uint8_t[::1] text, const int32_t[::1] offsets):
        """Take texts that lie one behind the other.

        Parameters
        ----------
        text : ndarray of uint8
        offsets : ndarray of shape (n + 1,), int32
            Where each starts, and the last one ends.
        """
        cdef Documents self = Documents()
        cdef Py_ssize_t n = offsets.shape[0] - 1
        cdef Py_ssize_t i
        cdef sa_document* item
        if n < 0 or offsets[0] < 0 or offsets[n] > text.shape[0]:
            raise ValueError("The offsets are none, or outside of the text.")
        self.owners += [text, offsets]
        # Where there is no text, any place will do for texts of nothing.
        cdef const void* start = &offsets[0]
        if text.shape[0]:
            start = &text[0]
        allocate(self, n)
        for i in range(n):
            if offsets[i + 1] < offsets[i]:
                raise ValueError(f"Offset {i + 1} falls.")
            item = &self.items[i]
            item.data = <const uint8_t*> start + offsets[i]
            item.size = offsets[i + 1] - offsets[i]
            item.encoding = SA_UTF8
            self.n += 1
        return self


cdef int allocate(Documents self, Py_ssize_t n) except -1:
    cdef void* grown = realloc(self.items, max(1, n) * sizeof(sa_document))
    if grown == NULL:
        raise MemoryError(f"no memory for {n} documents")
    self.items = <sa_document*> grown
    return 0


cdef int append_chunk(
    Documents self, ArrowSchema* schema, ArrowChunk chunk
) except -1:
    cdef int64_t length = chunk.array.length
    cdef int status = SA_ARROW_LENGTH
    if 0 <= length <= SA_MOST_ROWS:
        allocate(self, self.n + length)
        with nogil:
            status = sa_read_array(schema, &chunk.array, &self.items[self.n])
    if status == SA_ARROW_TYPE:
        raise TypeError(
            "A column of strings is expected, but the Arrow data are of format "
            f"{schema.format.decode()!r}; pass one column, cast to strings."
        )
    if status == SA_ARROW_MEMORY:
        raise MemoryError("no memory for the Arrow dictionary")
    if status != SA_ARROW_OK:
        raise ValueError(
            f"The Arrow column from row {self.n} on is invalid: "
            f"{ARROW_FAULTS[status]}."
        )
    self.owners.append(chunk)
    self.n += length
    return 0


cdef int settle_missing(Documents self, bint empty) except -1:
    cdef Py_ssize_t i
    for i in range(self.n):
        if self.items[i].size < 0:
            if not empty:
                raise ValueError(missing_text(i, None))
            self.items[i].size = 0
    return 0


def are_strings(list objects):
    """Whether all are of the very type str."""
    cdef Py_ssize_t i
    for i in range(len(objects)):
        if type(objects[i]) is not str:
            return False
    return True


def missing_text(i, value):
    """What is said of a document that is missing."""
    return (
        f"Document {i} is missing ({value}); leave it out, or set missing='empty' to "
        "take it for an empty text."
    )


cdef int check_held(bint held) except -1:
    if not held:
        raise ValueError(
            "The Arrow column has been read and released before; pass one that gives "
            "its data anew, such as an array or a Series."
        )
    return 0


cdef int check_stream(ArrowArrayStream* stream, int code) except -1:
    cdef const char* said
    if code:
        said = stream.get_last_error(stream)
        why = said.decode(errors="replace") if said != NULL else f"code {code}"
        raise ValueError(f"The Arrow stream failed: {why}")
    return 0
