"""CSV and TSV against the strict reader of Python's csv module."""

import csv
import io
import math

import numpy as np
import pandas as pd
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from sparse_adagrad.io import read_batches
from sparse_adagrad.io.csv_records import parse_records, split_record


def joined(batches):
    """Texts and targets of all batches."""
    texts, y = [], []
    for batch in batches:
        batch.texts.validate(full=True)
        texts += batch.texts.to_pylist()
        y += [] if batch.y is None else batch.y.tolist()
    return texts, y


def oracle(content, delimiter, texts, target):
    """Rows as (text, number), the lines of bad ones, and whether a quote is open.

    A bad row of a field with text after a quote ends where its line does, as ours.
    """
    file = io.StringIO(content, newline="")
    rows = csv.reader(file, delimiter=delimiter, strict=True)
    header = next(rows)
    good, bad = [], []
    while True:
        line = rows.line_num + 1
        try:
            row = next(rows)
        except StopIteration:
            return good, bad, False
        except csv.Error as error:
            if "unexpected end" in str(error):
                return good, bad, True
            bad.append(line)
            continue
        if not row:
            continue
        try:
            number = float(row[header.index(target)])
            assert len(row) == len(header) and math.isfinite(number)
        except (ValueError, AssertionError, IndexError):
            bad.append(line)
        else:
            good.append((" ".join(row[header.index(name)] for name in texts), number))


fields = st.lists(
    st.sampled_from(
        ["1", "-2.5e3", " 7 ", "x", "é", "日本", "🙂", '"', '""', ",", "\t", "\n", "\r",
         "\r\n", " ", "a" * 17, "\0", "nan", '"a,b"', '"1"', '"\n"']
    ),
    max_size=3,
).map("".join)  # fmt: skip
free = st.lists(
    st.lists(fields, min_size=1, max_size=4).map(",".join), max_size=6
).flatmap(
    lambda rows: st.sampled_from(["\n", "\r\n", "\r"]).map(lambda e: e.join(rows))
)


def quoted(rows):
    out = io.StringIO()
    csv.writer(out).writerows(rows)
    return out.getvalue()


any_text = st.text(st.characters(codec="utf-8"), max_size=12)
written = st.lists(
    st.tuples(any_text, st.floats(-1e9, 1e9).map(repr), any_text), max_size=8
).map(quoted)


@given(st.one_of(free, written), st.integers(1, 40), st.integers(1, 3))
@example('a "b" c,1,"d ""e"" f"\n', 1, 1)
@example('a,1,"b"c\nd,2,e\n', 3, 1)
@example('a,1,"b\n\n', 3, 1)
@example("a,1,b\r", 1, 1)
@example('a,1,"b""', 1, 1)
@example("a,1,b\r\n\r\nc,x,d\r\ne,1,f", 1, 1)
def test_same_as_the_csv_module(tmp_path_factory, body, size, rows):
    path = tmp_path_factory.mktemp("csv") / "a.csv"
    content = f"text,y,more\n{body}"
    path.write_bytes(content.encode())
    good, bad, is_open = oracle(content, ",", ["more", "text"], "y")
    arguments = {
        "text": ["more", "text"],
        "target": "y",
        "batch_rows": rows,
        "batch_bytes": size,
    }
    if is_open or not good or bad:
        with pytest.raises(ValueError, match=r"a\.csv") as error:
            list(read_batches(path, **arguments))
        if bad:
            assert f"line {bad[0]}: " in str(error.value)
        elif is_open:
            assert "unexpected end of data" in str(error.value)
    if is_open or not good:
        with pytest.raises(ValueError, match=r"a\.csv"):
            list(read_batches(path, **arguments, on_bad_line="skip"))
        return
    batches = list(read_batches(path, **arguments, on_bad_line="skip"))
    texts, y = joined(batches)
    assert list(zip(texts, y, strict=True)) == good
    assert batches[-1].skipped == len(bad)
    assert all(1 <= len(batch.texts) <= rows for batch in batches)


@given(st.binary(max_size=60), st.booleans(), st.booleans(), st.integers(1, 3))
def test_any_bytes_are_harmless(block, final, skip, n_fields):
    places = np.arange(n_fields, dtype=np.int32)[::-1].copy()
    text, offsets, y, end, n_lines, _, _ = parse_records(
        block, 0, 9, final, skip, ord(","), n_fields, places, 0, -np.inf
    )
    assert offsets[-1] == len(text) and len(offsets) == len(y) + 1
    assert 0 <= end <= len(block) and n_lines <= len(block)
    text.tobytes().decode()
    fields, end = split_record(block, final, ord(","))
    assert 0 <= end <= len(block)
    assert fields is None or sum(map(len, fields)) <= end


def test_lines_are_numbered_wherever_a_block_ends():
    content = b'a,1\r\n\r\n"b\r\n",2\rc,3\n\n"d""\r\n",x\r\n'
    limits = (False, ord(","), 2, np.zeros(1, np.int32), 1, -np.inf)
    for place in range(1, len(content)):
        _, _, y, end, n_lines, _, fault = parse_records(
            content[:place], 0, 99, False, *limits
        )
        assert fault is None
        _, _, more, _, _, _, fault = parse_records(content, end, 99, True, *limits)
        assert [*y, *more] == [1, 2, 3]
        assert n_lines + fault[1] == 6


@given(st.binary(max_size=12))
@example(b"\xed\xa0\x80")  # a surrogate
@example(b"\xf4\x90\x80\x80")  # beyond U+10FFFF
@example(b"\xc0\x80")  # overlong
@example(b"aaaaaaa\xe2\x82")
def test_utf8_is_what_python_takes_for_it(text):
    block = text.translate(None, b'",\r\n') + b",1\n"
    _, offsets, y, *_, fault = parse_records(
        block, 0, 9, True, False, ord(","), 2, np.zeros(1, np.int32), 1, -np.inf
    )
    try:
        block.decode()
    except UnicodeDecodeError:
        assert fault is not None and len(y) == 0
    else:
        assert fault is None and offsets.tolist() == [0, len(block) - 3]


BAD_RECORDS = {
    "a": "1 fields where the header has 3",
    "a,1,b,": "4 fields where the header has 3",
    "a,x,b": "y is 'x', which is no finite number",
    "a,,b": "y is ''",
    "a,nan,b": "y is 'nan'",
    "a,1e999,b": "y is '1e999'",
    "a,1_0,b": "y is '1_0'",
    'a,"1""",b': "y is '1\"\"'",
    '"a"b,1,c': "text follows a closing quote",
    "\udcff,1,a": "not UTF-8",
    "a,1,\udcc3": "not UTF-8",
    "a,\udcff,b": "not UTF-8",
}


@pytest.mark.parametrize("size", [1, 7, 10**6])
@pytest.mark.parametrize("end", ["\n", "\r\n", "\r"])
@pytest.mark.parametrize("record", BAD_RECORDS)
def test_bad_lines(tmp_path, record, end, size):
    path = tmp_path / "bad.csv"
    lines = ["﻿text,y,more", '"1', '2",1,"', '"', "", "b,2,", record, "c,3,", ""]
    path.write_bytes(end.join(lines).encode("utf-8", "surrogateescape"))
    arguments = {"text": "text", "target": "y", "batch_bytes": size, "batch_rows": 1}
    with pytest.raises(ValueError, match=r"bad\.csv, line 7: ") as error:
        list(read_batches(path, **arguments))
    assert BAD_RECORDS[record] in str(error.value)
    batches = list(read_batches(path, **arguments, on_bad_line="skip"))
    assert [batch.skipped for batch in batches] in ([0, 0, 1], [0, 1, 1])
    assert joined(batches) == ([f"1{end}2", "b", "c"], [1, 2, 3])


def test_an_open_quote_is_named_where_it_starts(tmp_path):
    path = tmp_path / "bad.csv"
    path.write_text('text,y\n"a\nb",1\nc,"2\nd,3\n')
    for on_bad_line in ("error", "skip"):
        batches = read_batches(path, text="text", target="y", on_bad_line=on_bad_line)
        with pytest.raises(ValueError, match="line 4: unexpected end of data"):
            list(batches)


@pytest.mark.parametrize(
    "content, said",
    [
        ("", "is empty; it needs a header"),
        ("﻿", "is empty"),
        ("\na,b\n", "is empty"),
        ("text,y\n", "has no rows"),
        ("a,y\nb,1\n", "no column 'text'. Read as csv, its first line has ['a', 'y']"),
        ("text,a\nb,1\n", "no column 'y'"),
        ("text,y,text\nb,1,c\n", "two columns 'text'"),
        ('text,"y\nb,1\n', "line 1: the header has a wrong quote"),
        ('"text"x,y\nb,1\n', "line 1: the header has a wrong quote"),
        ("text,y,\udcff\nb,1,c\n", "line 1 is not UTF-8"),
    ],
)
@pytest.mark.parametrize("size", [1, 10**6])
def test_bad_headers(tmp_path, content, said, size):
    path = tmp_path / "bad.csv"
    path.write_bytes(content.encode("utf-8", "surrogateescape"))
    with pytest.raises(ValueError, match=r"bad\.csv") as error:
        list(read_batches(path, text="text", target="y", batch_bytes=size))
    assert said in str(error.value)


def test_header_of_two_lines(tmp_path):
    path = tmp_path / "a.csv"
    path.write_text('"a\n""b""",y\nc,x\n')
    with pytest.raises(ValueError, match="line 3: y is 'x'"):
        list(read_batches(path, text='a\n"b"', target="y"))
    assert joined(read_batches(path, text=['a\n"b"', "y"])) == (["c x"], [])


def test_tsv_as_pandas_writes_and_reads_it(tmp_path):
    path = tmp_path / "a.tsv"
    rng = np.random.default_rng(0)
    pieces = np.array(["a", '"', "\t", "\n", ",", "é", "word "])
    frame = pd.DataFrame(
        {
            "text": ["x" + "".join(rng.choice(pieces, 9)) for _ in range(500)],
            "y": rng.normal(size=500),
        }
    )
    frame.to_csv(path, sep="\t", index=False)
    texts, y = joined(read_batches(path, text="text", target="y", batch_bytes=100))
    expected = pd.read_csv(path, sep="\t")
    assert texts == frame["text"].tolist() == expected["text"].tolist()
    assert y == frame["y"].tolist()


def test_a_row_longer_than_a_batch(tmp_path, monkeypatch):
    path = tmp_path / "a.csv"
    path.write_text("text,y\n" + "long " * 10_000 + ",1\nb,2\n")
    texts, _ = joined(read_batches(path, text="text", target="y", batch_bytes=10))
    assert [len(text) for text in texts] == [50_000, 1]
    monkeypatch.setattr("sparse_adagrad.io.blocks.MAX_ROW_BYTES", 1000)
    with pytest.raises(ValueError, match="more than 1,000 bytes"):
        list(read_batches(path, text="text", target="y", batch_bytes=10))
