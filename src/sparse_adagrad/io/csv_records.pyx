"""Records of CSV to a column of texts and one of numbers; see ``native/csv.h``."""

import numpy as np

from cpython.bytes cimport PyBytes_AS_STRING, PyBytes_GET_SIZE
from libc.stdint cimport int32_t, uint8_t
from libc.stdlib cimport free, malloc

from sparse_adagrad.io.number cimport fill_powers


cdef extern from "native/csv.h" nogil:
    int SA_RECORD
    int SA_BLANK
    int SA_CUT
    int SA_OPEN_QUOTE
    int SA_AFTER_QUOTE
    int SA_RAGGED
    int SA_NOT_UTF8
    int SA_BAD_TARGET

    ctypedef struct sa_field:
        const char* start
        const char* end

    int sa_csv_record(
        const char** p, const char* end, int final, char delimiter, sa_field* fields,
        Py_ssize_t capacity, Py_ssize_t* n_fields,
    )
    Py_ssize_t sa_count_lines(const char* p, const char* end)
    int sa_is_utf8(const char* p, const char* end)
    char* sa_copy_field(char* out, const sa_field* field)
    int sa_field_number(const sa_field* field, double* value)


OPEN_QUOTE = SA_OPEN_QUOTE
AFTER_QUOTE = SA_AFTER_QUOTE
RAGGED = SA_RAGGED
NOT_UTF8 = SA_NOT_UTF8
BAD_TARGET = SA_BAD_TARGET

fill_powers()


cdef sa_field* new_fields(Py_ssize_t n) except NULL:
    cdef sa_field* fields = <sa_field*> malloc((n + 1) * sizeof(sa_field))
    if fields == NULL:
        raise MemoryError(f"no memory for {n} fields")
    return fields


def split_record(bytes block, bint final, char delimiter):
    """Fields of the first record.

    Returns
    -------
    fields : list of bytes or None
        Empty for a blank line; None if the record is cut off or wrong.
    end : int
        Where the next record starts; 0 if this one is cut off.
    """
    cdef const char* text = PyBytes_AS_STRING(block)
    cdef const char* stop = text + PyBytes_GET_SIZE(block)
    cdef const char* p = text
    cdef Py_ssize_t n_fields, k
    cdef int code
    if not block:
        return None, 0
    code = sa_csv_record(&p, stop, final, delimiter, NULL, 0, &n_fields)
    if code == SA_BLANK:
        return [], p - text
    if code != SA_RECORD:
        return None, p - text
    cdef sa_field* fields = new_fields(n_fields)
    p = text
    sa_csv_record(&p, stop, final, delimiter, fields, n_fields, &n_fields)
    try:
        return [copy_of(&fields[k]) for k in range(n_fields)], p - text
    finally:
        free(fields)


def count_lines(bytes block, Py_ssize_t end):
    """Line ends before a place that no CR LF spans."""
    cdef const char* text = PyBytes_AS_STRING(block)
    return sa_count_lines(text, text + min(max(end, 0), PyBytes_GET_SIZE(block)))


cdef bytes copy_of(const sa_field* field):
    copy = bytearray(field.end - field.start + 1)
    cdef char* out = copy
    return bytes(copy[:sa_copy_field(out, field) - out])


cdef struct Columns:
    Py_ssize_t n_fields
    const int32_t* texts
    Py_ssize_t n_texts
    Py_ssize_t target
    double target_above


cdef int check_record(
    const sa_field* fields,
    Py_ssize_t n_fields,
    const char* start,
    const char* end,
    const Columns* columns,
    double* y,
) noexcept nogil:
    """What is wrong with a whole record, or SA_RECORD; its number goes to y."""
    if n_fields != columns.n_fields:
        return SA_RAGGED
    if not sa_is_utf8(start, end):
        return SA_NOT_UTF8
    if columns.target >= 0 and not (
        sa_field_number(&fields[columns.target], y) and y[0] > columns.target_above
    ):
        return SA_BAD_TARGET
    return SA_RECORD


cdef char* join_texts(
    char* out, const sa_field* fields, const Columns* columns
) noexcept nogil:
    cdef Py_ssize_t k
    for k in range(columns.n_texts):
        if k:
            out[0] = 32
            out += 1
        out = sa_copy_field(out, &fields[columns.texts[k]])
    return out


def parse_records(
    bytes block,
    Py_ssize_t start,
    Py_ssize_t max_records,
    bint final,
    bint skip,
    char delimiter,
    Py_ssize_t n_fields,
    const int32_t[::1] text_columns,
    Py_ssize_t target_column,
    double target_above,
):
    """Parse whole records of a block.

    Parameters
    ----------
    block : bytes
    start : int
        Where the first record starts.
    max_records : int
        How many to take at most, blank lines too.
    final : bool
        Whether a record that the block's end cuts off is whole.
    skip : bool
        Whether bad records are left out; else the first one ends the work.
    delimiter : int
        Code of the character.
    n_fields : int
        Fields of a record.
    text_columns : ndarray of int32
        Different columns, whose texts are joined by spaces.
    target_column : int
        Column of the numbers; -1: none.
    target_above : float
        What they have to be above.

    Returns
    -------
    text : ndarray of uint8
        UTF-8 of all texts.
    offsets : ndarray of shape (n_rows + 1,), int32
        Where each text starts there.
    y : ndarray of shape (n_rows,), float64
    end : int
        Where the next record starts.
    n_lines, n_skipped : int
    fault : tuple of int or None
        What is wrong, in which line of these the record starts, how many fields it
        has, and where the target starts and ends.
    """
    if not 0 <= start <= PyBytes_GET_SIZE(block) < 2**31:
        raise ValueError(f"start={start} is outside of the block, or it is too large.")
    places = np.asarray(text_columns).tolist()
    if not 0 < len(set(places)) == len(places):
        raise ValueError(f"The text columns {places} are none, or not different.")
    if not (0 <= min(places) <= max(places) < n_fields and target_column < n_fields):
        raise ValueError(f"A column of {places}, {target_column} is not there.")
    cdef Columns columns = Columns(
        n_fields, &text_columns[0], text_columns.shape[0], target_column,
        target_above,
    )
    cdef const char* text = PyBytes_AS_STRING(block)
    cdef const char* stop = text + PyBytes_GET_SIZE(block)
    cdef const char* p = text + start
    # A record has at least as many bytes, and of these a delimiter for every space.
    cdef Py_ssize_t most = min(max_records, stop - p)
    out_array = np.empty(stop - p + 1, np.uint8)
    offsets_array = np.zeros(most + 1, np.int32)
    y_array = np.empty(most + 1)
    cdef uint8_t[::1] out_view = out_array
    cdef int32_t[::1] offsets = offsets_array
    cdef double[::1] y = y_array
    cdef char* out_start = <char*> &out_view[0]
    cdef char* out = out_start
    cdef const char* record = p
    cdef Py_ssize_t n_records = 0, n_rows = 0, n_skipped = 0, found = 0
    cdef int code = SA_RECORD
    cdef sa_field* fields = new_fields(n_fields)
    with nogil:
        while n_records < max_records and p < stop:
            record = p
            code = sa_csv_record(
                &p, stop, final, delimiter, fields, n_fields, &found
            )
            if code == SA_RECORD:
                code = check_record(fields, found, record, p, &columns, &y[n_rows])
            if code == SA_RECORD:
                out = join_texts(out, fields, &columns)
                n_rows += 1
                offsets[n_rows] = <int32_t> (out - out_start)
            elif code == SA_CUT:
                break
            elif code != SA_BLANK:
                # Where an open quote should have ended, nobody knows.
                if not skip or code == SA_OPEN_QUOTE:
                    break
                n_skipped += 1
            n_records += 1
            code = SA_RECORD
    fault = None
    if code not in (SA_RECORD, SA_CUT):
        target = (0, 0)
        if code == SA_BAD_TARGET:
            target = (fields[target_column].start - text,
                      fields[target_column].end - text)
        fault = (code, sa_count_lines(text + start, record), found, *target)
    free(fields)
    out_array.resize(offsets[n_rows], refcheck=False)
    return (
        out_array,
        offsets_array[:n_rows + 1],
        y_array[:n_rows],
        p - text,
        sa_count_lines(text + start, p),
        n_skipped,
        fault,
    )
