"""Numbers by which threads tell each other how far they are."""

from libc.stdint cimport int64_t


cdef extern from "native/turns.h" nogil:
    void sa_store(int64_t* place, int64_t number)
    int64_t sa_load(int64_t* place)
    void sa_pause()
    void sa_yield()


cdef enum:
    # Who is waited for may have no core of its own.
    LOOKS_PER_YIELD = 64


def announce(int64_t[::1] turns, Py_ssize_t thread, int64_t turn):
    """Write a thread's number; who finds it finds all that was written before, too."""
    sa_store(&turns[thread], turn)


def look_for(int64_t[::1] turns, Py_ssize_t thread, int64_t turn, int n_looks):
    """Look so many times whether a thread's number is as large; whether it has been."""
    cdef bint found = False
    cdef int look
    with nogil:
        for look in range(n_looks):
            found = sa_load(&turns[thread]) >= turn
            if found:
                break
            sa_pause()
            if look % LOOKS_PER_YIELD == LOOKS_PER_YIELD - 1:
                sa_yield()
    return found
