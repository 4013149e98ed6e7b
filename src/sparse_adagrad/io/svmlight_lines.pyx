"""Lines of svmlight to CSR arrays; a line's form stands in ``native/svmlight.h``."""

import numpy as np

from cpython.bytes cimport PyBytes_AS_STRING, PyBytes_GET_SIZE
from libc.stdint cimport int32_t, int64_t
from libc.string cimport memchr

from sparse_adagrad.io.number cimport fill_powers, sa_number


cdef extern from "native/svmlight.h" nogil:
    int SA_ROW
    int SA_NO_ROW
    int SA_BAD_TARGET
    int SA_BAD_FEATURE
    int SA_BAD_VALUE
    int SA_COLUMN_0
    int SA_COLUMN_LARGE
    int SA_COLUMN_ORDER
    int sa_svmlight_row(
        const char** p, const char* end, int64_t base, int64_t n_features,
        double target_above, double* target, int32_t* indices, double* data,
        Py_ssize_t* row_nnz,
    )


BAD_TARGET = SA_BAD_TARGET
BAD_FEATURE = SA_BAD_FEATURE
BAD_VALUE = SA_BAD_VALUE
COLUMN_0 = SA_COLUMN_0
COLUMN_LARGE = SA_COLUMN_LARGE
COLUMN_ORDER = SA_COLUMN_ORDER


fill_powers()


def parse_number(bytes text):
    """Value of a number, as `float` has it, and how many bytes it takes, for tests."""
    cdef const char* start = PyBytes_AS_STRING(text)
    cdef double value = 0.0
    cdef const char* stop = start + PyBytes_GET_SIZE(text)
    cdef const char* end
    with nogil:
        end = sa_number(start, stop, &value)
    return value, end - start


cdef Py_ssize_t count_byte(const char* p, const char* end, char c) noexcept nogil:
    cdef Py_ssize_t n = 0, k
    for k in range(end - p):
        n += p[k] == c
    return n


cdef const char* line_end(const char* p, const char* end) noexcept nogil:
    """Where the line at p has its line feed, or `end`."""
    cdef const char* found = <const char*> memchr(p, 10, end - p)
    return found if found != NULL else end


def parse_lines(
    bytes block,
    Py_ssize_t start,
    Py_ssize_t max_lines,
    bint final,
    bint skip,
    int64_t base,
    int64_t n_features,
    double target_above,
):
    """Parse whole lines of a block.

    Parameters
    ----------
    block : bytes
    start : int
        Where the first line starts.
    max_lines : int
        How many lines to take at most.
    final : bool
        Whether a line that the block's end cuts off is whole.
    skip : bool
        Whether bad lines are left out; else the first one ends the work.
    base : int
        Number of the first column.
    n_features : int
        Number of columns, at most 2^31 - 1.
    target_above : float
        What targets have to be above.

    Returns
    -------
    y : ndarray of shape (n_rows,), float64
    data, indices, indptr : ndarrays, float64, int32 and int32
    end : int
        Where the next line starts.
    n_lines, n_skipped : int
    fault : tuple of int or None
        What is wrong, in which line of these, and the place of the bad field.
    """
    if not 0 <= start <= PyBytes_GET_SIZE(block):
        raise ValueError(f"start={start} is outside of the block.")
    if not 0 <= n_features <= 0x7FFFFFFF:
        raise ValueError(f"n_features={n_features} is not between 0 and 2^31 - 1.")
    cdef const char* text = PyBytes_AS_STRING(block)
    cdef const char* p = text + start
    cdef const char* stop = text + PyBytes_GET_SIZE(block)
    cdef const char* at = p
    cdef Py_ssize_t n_lines = 0, colons
    with nogil:
        while n_lines < max_lines and at < stop:
            at = line_end(at, stop)
            if at == stop and not final:
                break
            at = at + (at < stop)
            n_lines += 1
            p = at
        stop = p
        p = text + start
        # A bound: comments may have colons too.
        colons = count_byte(p, stop, 58)
    y_array = np.empty(n_lines + 1)
    data_array = np.empty(colons + 1)
    indices_array = np.empty(colons + 1, np.int32)
    indptr_array = np.zeros(n_lines + 1, np.int32)
    cdef double[::1] y = y_array
    cdef double[::1] data = data_array
    cdef int32_t[::1] indices = indices_array
    cdef int32_t[::1] indptr = indptr_array
    cdef Py_ssize_t line = 0, n_rows = 0, n_skipped = 0, nnz = 0, row_nnz = 0
    cdef int code = SA_ROW
    cdef const char* end
    with nogil:
        while line < n_lines:
            end = line_end(p, stop)
            at = p
            code = sa_svmlight_row(
                &at, end, base, n_features, target_above,
                &y[n_rows], &indices[nnz], &data[nnz], &row_nnz,
            )
            if code == SA_ROW:
                n_rows += 1
                nnz += row_nnz
                indptr[n_rows] = <int32_t> nnz
            elif code != SA_NO_ROW:
                # A file that counts from another base is wrong as a whole.
                if not skip or code == SA_COLUMN_0:
                    break
                n_skipped += 1
            line += 1
            p = end + (end < stop)
    fault = (code, line, at - text) if line < n_lines else None
    return (
        y_array[:n_rows],
        data_array[:nnz],
        indices_array[:nnz],
        indptr_array[:n_rows + 1],
        p - text,
        line,
        n_skipped,
        fault,
    )
