"""The active features of a mini-batch: each listed once, with its gradients."""

from libc.stdint cimport int64_t, uint32_t
from libc.stdlib cimport calloc, free, malloc
from libc.string cimport memset

cdef enum:
    LARGEST_PLACE = 0x7FFFFFFF


# Lists start at 1: place 0 means that a column has not come.
cdef struct Active:
    uint32_t* place_of  # of every column; all 0 between batches
    Py_ssize_t length
    int64_t* columns
    double* gradients  # (columns, outputs); 0 beyond the length
    void* x  # room for gradients of the state's type


cdef inline bint make_active(
    Active* active,
    uint32_t* place_of,
    Py_ssize_t capacity,
    Py_ssize_t n_outputs,
    size_t item,
) noexcept nogil:
    """False where there is no memory for it, or no number for so many columns."""
    active.place_of = place_of
    active.length = 0
    # One more than there may be: what is not new is listed there, and does not count.
    capacity += 2
    active.columns = <int64_t*> malloc(capacity * sizeof(int64_t))
    active.gradients = <double*> calloc(capacity * n_outputs, sizeof(double))
    active.x = malloc(capacity * item)
    return (
        active.columns != NULL and active.gradients != NULL and active.x != NULL
        and capacity < LARGEST_PLACE
    )


cdef inline double* gradients_of(
    Active* active, int64_t column, Py_ssize_t n_outputs
) noexcept nogil:
    """The gradients of a column, which is listed where it is new."""
    # No branch: whether it is new cannot be foretold.
    cdef Py_ssize_t place = active.place_of[column]
    cdef bint is_new = place == 0
    active.columns[active.length + 1] = column
    active.length += is_new
    place = active.length if is_new else place
    active.place_of[column] = <uint32_t> place
    return active.gradients + place * n_outputs


cdef inline void clear_active(Active* active, Py_ssize_t n_outputs) noexcept nogil:
    cdef Py_ssize_t place
    for place in range(1, active.length + 1):
        active.place_of[active.columns[place]] = 0
    memset(
        active.gradients + n_outputs, 0, active.length * n_outputs * sizeof(double)
    )
    active.length = 0


cdef inline void free_active(Active* active, Py_ssize_t n_outputs) noexcept nogil:
    if active.length:
        clear_active(active, n_outputs)
    free(active.columns)
    free(active.gradients)
    free(active.x)
