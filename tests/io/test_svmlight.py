"""svmlight: numbers against `float`, rows against scikit-learn's reader."""

import io
import struct
from fractions import Fraction

import numpy as np
import pytest
from hypothesis import assume, example, given
from hypothesis import strategies as st
from scipy import sparse as sp
from sklearn.datasets import dump_svmlight_file, load_svmlight_file

from sparse_adagrad.io import read_svmlight
from sparse_adagrad.io.svmlight_lines import parse_lines, parse_number
from tests.strategies import csr_matrices


def bits(number):
    return struct.pack("<d", number)


digits = st.text("0123456789", max_size=30)
exponents = st.one_of(
    st.just(""), st.integers(-400, 400).map("e{}".format), st.sampled_from(["E+3", "e"])
)
numbers = st.one_of(
    st.tuples(st.sampled_from(["", "-", "+"]), digits, st.sampled_from([".", ""]),
              digits, exponents).map("".join),
    st.floats(allow_nan=False, allow_infinity=False).map(repr),
    st.floats(allow_nan=False, allow_infinity=False).map("{:.25e}".format),
    st.floats(1e-30, 1e30).map("{:.40f}".format),
)  # fmt: skip


@given(numbers)
@example("9007199254740993")  # between two doubles
@example("9007199254740993.00000000000000000000000000001")
@example("2.2250738585072011e-308")
@example("2.4703282292062328e-324")
@example("1.7976931348623159e308")
@example("0e999999999999999999999")
@example("1e-999999999999999999999")
@example("18446744073709551616")
@example("00000000000000000000000000000000000001.5")
@example("-0")
@example("")
def test_numbers_are_what_float_makes_of_them(text):
    assume(text != "")
    value, size = parse_number(text.encode())
    try:
        expected = float(text)
    except ValueError:
        assert size < max(1, len(text))
        if size:
            assert bits(value) == bits(float(text[:size]))
    else:
        assert size == len(text)
        assert bits(value) == bits(expected)


@given(st.integers(2**52, 2**53 - 1), st.integers(-120, 120), st.integers(-1, 1))
def test_numbers_near_the_middle_of_two_doubles(mantissa, exponent, aside):
    """Exactly between, and a 1 in a far digit above or below."""
    middle = Fraction(2 * mantissa + 1) * Fraction(2) ** exponent
    middle += Fraction(aside, 10**130)
    scaled = middle * 10**130
    text = f"{scaled.numerator // scaled.denominator}e-130"
    value, size = parse_number(text.encode())
    assert size == len(text) and bits(value) == bits(float(text))


@pytest.mark.parametrize(
    "text", ["nan", "inf", "Infinity", "1_0", "0x1p3", "", "-", "."]
)
def test_what_is_no_number(text):
    assert parse_number(text.encode())[1] < max(1, len(text))


def whole(path, **arguments):
    """All batches as one matrix and target."""
    batches = list(read_svmlight(path, **arguments))
    width = batches[-1].X.shape[1]
    for batch in batches:
        batch.X.check_format()
        batch.X.resize(batch.X.shape[0], width)
    X = sp.vstack([batch.X for batch in batches], format="csr")
    return X, np.concatenate([batch.y for batch in batches])


@given(
    csr_matrices(),
    st.integers(1, 5),
    st.integers(1, 60),
    st.booleans(),
    st.sampled_from(["", "a comment: 1:2\n3 4:5"]),
)
def test_same_as_scikit_learn(tmp_path_factory, X, rows, size, zero_based, comment):
    path = tmp_path_factory.mktemp("svmlight") / "a.svm"
    y = np.random.default_rng(0).normal(size=X.shape[0])
    query = np.arange(len(y))
    dump_svmlight_file(
        X, y, str(path), zero_based=zero_based, comment=comment, query_id=query
    )
    arguments = {"zero_based": zero_based, "n_features": X.shape[1] + 2}
    expected, target = load_svmlight_file(str(path), **arguments)
    found, y_found = whole(path, batch_rows=rows, batch_bytes=size, **arguments)
    assert found.shape == expected.shape
    np.testing.assert_array_equal(found.indptr, expected.indptr)
    np.testing.assert_array_equal(found.indices, expected.indices)
    np.testing.assert_array_equal(found.data, expected.data)
    np.testing.assert_array_equal(y_found, target)


pieces = st.lists(
    st.sampled_from(
        ["1", "-2.5", "3:1", "4:2e5", "12:-.5", " ", "\t", "\n", "\r\n", "#x", "qid:7",
         ":", "0:1", "nan", "5:inf", "x", "7:1_0", "99999999999:1", "\0", "é", "1,2"]
    ),
    max_size=20,
)  # fmt: skip


@given(pieces.map("".join))
def test_never_takes_what_scikit_learn_refuses(text):
    block = text.encode()
    *parts, fault = parse_lines(block, 0, 100, True, False, 0, 13, -np.inf)
    if fault is None:
        expected, y = load_svmlight_file(
            io.BytesIO(block), zero_based=True, n_features=13
        )
        np.testing.assert_array_equal(parts[0], y)
        np.testing.assert_array_equal(parts[1], expected.data)
        np.testing.assert_array_equal(parts[2], expected.indices)
        np.testing.assert_array_equal(parts[3], expected.indptr)


@given(st.binary(max_size=60), st.booleans(), st.booleans())
def test_any_bytes_are_harmless(block, final, skip):
    y, data, indices, indptr, end, _, _, _ = parse_lines(
        block, 0, 9, final, skip, 0, 99, -np.inf
    )
    assert indptr[-1] == len(data) == len(indices)
    assert len(indptr) == len(y) + 1 and 0 <= end <= len(block)


def test_form(tmp_path):
    path = tmp_path / "a.svm"
    path.write_bytes(
        b"\xef\xbb\xbf1 qid:3 1:2\t 3:-.5\r\n\r\n# nothing\n  +2e0  # 1:1\n-3 2:0"
    )
    X, y = whole(path, zero_based=False)
    np.testing.assert_array_equal(X.toarray(), [[2, 0, -0.5], [0, 0, 0], [0, 0, 0]])
    np.testing.assert_array_equal(y, [1, 2, -3])
    assert X.nnz == 3  # a 0 that is written stays


BAD_LINES = {
    "x 1:1": "the target is 'x'",
    "nan 1:1": "the target is 'nan'",
    "1:2 3:4": "the target is '1:2'",
    "1,2 3:4": "the target is '1,2'",
    "1 2": "'2' is no column:value",
    "1 :2": "':2' is no column:value",
    "1 -2:2": "'-2:2' is no column:value",
    "1 2:": "'2:' does not end in a finite number",
    "1 2:x": "'2:x' does not",
    "1 2:1e999": "'2:1e999' does not",
    "1 2:inf": "'2:inf' does not",
    "1 2:3x": "'2:3x' does not",
    "1 2:1_0": "'2:1_0' does not",
    "1 qid:x 1:1": "'qid:x' is no",
    "1 1:1 qid:2": "'qid:2' is no",
    "1 2:1 2:1": "column 2 comes after one as large",
    "1 3:1 2:1": "column 2 comes after",
    "1 99999999999:1": "column 99999999999 is too large",
    "1 999999999999999999999999999:1": "is too large",
    "1 2147483648:1": "column 2147483648 is too large",
}


@pytest.mark.parametrize("size", [1, 9, 10**6])
@pytest.mark.parametrize("line", BAD_LINES)
def test_bad_lines(tmp_path, line, size):
    path = tmp_path / "bad.svm"
    path.write_text(f"1 1:1\n\n# {line}\n2 1:2\n{line}\n3 1:3\n")
    batches = read_svmlight(path, batch_bytes=size, batch_rows=2)
    with pytest.raises(ValueError, match=r"bad\.svm, line 5: ") as error:
        list(batches)
    assert BAD_LINES[line] in str(error.value)
    batches = list(read_svmlight(path, batch_bytes=size, on_bad_line="skip"))
    assert batches[-1].skipped == 1
    np.testing.assert_array_equal(np.concatenate([b.y for b in batches]), [1, 2, 3])
    assert sum(b.X.sum() for b in batches) == 6


def test_bad_lines_at_the_end_are_counted(tmp_path):
    path = tmp_path / "bad.svm"
    path.write_text("1 1:1\n2 1:1\n3\nx\nx\n")
    batches = list(read_svmlight(path, batch_rows=1, batch_bytes=1, on_bad_line="skip"))
    assert [batch.skipped for batch in batches] == [0, 0, 2]
    assert [len(batch.y) for batch in batches] == [1, 1, 1]
    assert batches[-1].bytes_read == batches[-1].bytes_total == path.stat().st_size
    path.write_text("x\n\nx")
    with pytest.raises(ValueError, match="no good rows, and 2 bad ones"):
        list(read_svmlight(path, on_bad_line="skip"))


def test_columns_and_their_number(tmp_path):
    path = tmp_path / "a.svm"
    path.write_text("1\n2 1:1\n3 2:1\n")
    batches = list(read_svmlight(path, batch_rows=1))
    assert [batch.X.shape for batch in batches] == [(1, 1), (1, 1), (1, 2)]
    assert not any(batch.zero_based for batch in batches)
    batches = list(read_svmlight(path, zero_based=True))
    assert batches[0].X.shape == (3, 3) and batches[0].zero_based
    assert whole(path, n_features=7)[0].shape == (3, 7)
    with pytest.raises(ValueError, match="line 3: column 2 is beyond the 1 columns"):
        whole(path, n_features=1)
    assert whole(path, n_features=2)[0].shape == (3, 2)
    with pytest.raises(ValueError, match=r"line 3: column 2 is beyond .* from 0"):
        whole(path, n_features=2, zero_based=True)


def test_column_0_tells_the_base(tmp_path):
    path = tmp_path / "a.svm"
    path.write_text("1\n2 1:1\n3 0:1\n")
    batch = next(read_svmlight(path))
    assert batch.zero_based and batch.X.shape == (3, 2)
    for skip in ("error", "skip"):
        with pytest.raises(ValueError, match="line 3: there is a column 0"):
            whole(path, batch_rows=2, on_bad_line=skip)
        with pytest.raises(ValueError, match="line 3: there is a column 0"):
            whole(path, zero_based=False, on_bad_line=skip)


def test_wrong_arguments(tmp_path):
    path = tmp_path / "a.svm"
    path.write_text("1 1:1\n")
    for arguments, said in (
        ({"n_features": 0}, "n_features=0"),
        ({"n_features": 2**31}, "n_features="),
        ({"n_features": 2.5}, "n_features=2.5"),
        ({"zero_based": "no"}, "zero_based='no'"),
        ({"batch_rows": 1.5}, "batch_rows=1.5"),
        ({"batch_bytes": 2**33}, "batch_bytes=8589934592; it must be at most"),
        ({"batch_rows": 0}, "batch_rows=0"),
        ({"batch_bytes": 0}, "batch_bytes=0"),
        ({"on_bad_line": "warn"}, "on_bad_line='warn'"),
        ({"format": "csv"}, "is csv, not svmlight"),
    ):
        with pytest.raises(ValueError, match=said):
            read_svmlight(path, **arguments)
    path.write_text("")
    with pytest.raises(ValueError, match=r"a\.svm has no rows"):
        list(read_svmlight(path))
