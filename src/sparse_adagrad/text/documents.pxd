from libc.stdint cimport int64_t


cdef extern from "native/document.h" nogil:
    enum:
        SA_ASCII
        SA_UTF8
        SA_UCS1
        SA_UCS2
        SA_UCS4
        SA_OK
        SA_NO_MEMORY
        SA_NOT_UTF8
        SA_SURROGATE

    ctypedef struct sa_document:
        const void* data
        int64_t size
        int64_t encoding


cdef class Documents:
    cdef sa_document* items
    cdef readonly Py_ssize_t n
    cdef list owners  # what the memory belongs to
