"""Parquet as pandas and pyarrow write it."""

import numpy as np
import pyarrow as pa
import pytest
from pyarrow import parquet as pq

from sparse_adagrad.io import read_batches

TEXTS = ["a", "", "é\n日本", "b" * 200, "c"]


@pytest.fixture
def write(tmp_path):
    def write(y, texts=TEXTS, kind=None, **options):
        path = tmp_path / "a.parquet"
        table = {
            "text": pa.array(texts, kind),
            "more": texts,
            "y": y,
            "id": range(len(y)),
        }
        pq.write_table(pa.table(table), path, **options)
        return path

    return write


@pytest.mark.parametrize(
    "kind",
    [pa.utf8(), pa.large_utf8(), pa.string_view(), pa.dictionary(pa.int8(), pa.utf8())],
    ids=str,
)
@pytest.mark.parametrize("size", [1, 150, 10**6])
def test_text_types(write, kind, size):
    path = write([1.5, 2, 3, 4, 5], kind=kind, row_group_size=3)
    batches = list(
        read_batches(path, text="text", target="y", batch_rows=2, batch_bytes=size)
    )
    assert [t for batch in batches for t in batch.texts.to_pylist()] == TEXTS
    np.testing.assert_array_equal(
        np.concatenate([batch.y for batch in batches]), [1.5, 2, 3, 4, 5]
    )
    assert all(len(batch.y) <= 2 for batch in batches)
    read = [batch.bytes_read for batch in batches]
    assert read == sorted(read) and read[-1] == batches[-1].bytes_total
    joined = read_batches(path, text=["more", "text"])
    assert [t for b in joined for t in b.texts.to_pylist()] == [
        f"{t} {t}" for t in TEXTS
    ]


@pytest.mark.parametrize(
    "kind", [pa.int8(), pa.uint64(), pa.float32(), pa.decimal128(30, 2)]
)
def test_number_types(write, kind):
    path = write(pa.array([1, 2, 3, 4, 5]).cast(kind, safe=False))
    (batch,) = read_batches(path, text="text", target="y")
    assert batch.y.dtype == np.float64
    np.testing.assert_array_equal(batch.y, [1, 2, 3, 4, 5])


@pytest.mark.parametrize(
    "y, texts, said",
    [
        ([1, 2, 3, None, 5], TEXTS, "row 4: y is None"),
        ([1, 2, 3, np.nan, 5], TEXTS, "row 4: y is nan"),
        ([1, 2, 3, np.inf, 5], TEXTS, "row 4: y is inf"),
        ([1.0, 2, 3, 4, 5], ["a", "b", "c", None, "d"], "row 4: a text is missing"),
    ],
)
def test_bad_rows(write, y, texts, said):
    path = write(y, texts)
    arguments = {"text": "text", "target": "y", "batch_rows": 2}
    with pytest.raises(ValueError, match=rf"a\.parquet, {said}"):
        list(read_batches(path, **arguments))
    batches = list(read_batches(path, **arguments, on_bad_line="skip"))
    assert [int(number) for batch in batches for number in batch.y] == [1, 2, 3, 5]
    assert sum(len(batch.texts) for batch in batches) == 4
    assert batches[-1].skipped == 1


def test_bad_files(write, tmp_path):
    path = write([1, 2, 3, 4, 5])
    for arguments, said in (
        (
            {"text": "none"},
            "no column 'none', or two. Its columns are .'text', 'more', 'y'",
        ),
        ({"text": "y"}, "y is of the type int64, no text"),
        ({"text": "text", "target": "more"}, "more is of the type string, no number"),
    ):
        with pytest.raises(ValueError, match=said):
            list(read_batches(path, **arguments))
    path.write_bytes(path.read_bytes()[:-5])
    with pytest.raises(ValueError, match=r"a\.parquet is no whole Parquet file"):
        list(read_batches(path, text="text"))
    for name in ("-", str(path) + ".gz"):
        with pytest.raises((ValueError, OSError)):
            read_batches(name, text="text", format=None)
    with pytest.raises(ValueError, match="Parquet cannot be read from standard input"):
        read_batches("-", text="text", format="parquet")


def test_text_that_is_not_utf8(tmp_path):
    path = tmp_path / "a.parquet"
    parts = pa.array([b"a", b"\xff", None, b"b"]).buffers()
    texts = pa.Array.from_buffers(pa.utf8(), 4, parts)
    pq.write_table(pa.table({"text": texts, "y": [1, 2, 3, 4]}), path)
    with pytest.raises(ValueError, match=r"a\.parquet, row 2: .* not UTF-8"):
        list(read_batches(path, text="text", target="y"))
    (batch,) = read_batches(path, text="text", target="y", on_bad_line="skip")
    assert batch.texts.to_pylist() == ["a", "b"] and batch.skipped == 2


def test_files_that_are_damaged_are_named(write):
    path = write(list(range(1000)), [f"text {i}" for i in range(1000)])
    whole = path.read_bytes()
    for start in (4, 100):
        path.write_bytes(whole[:start] + bytes(1000) + whole[start + 1000 :])
        with pytest.raises(ValueError, match=r"a\.parquet is no whole Parquet file"):
            list(read_batches(path, text="text", target="y"))


def test_a_row_group_is_not_read_whole(write):
    rng = np.random.default_rng(0)
    texts = [rng.bytes(1000).hex() for _ in range(10_000)]
    path = write(range(len(texts)), texts, use_dictionary=False)
    before = pa.total_allocated_bytes()
    for batch in read_batches(path, text="text", batch_bytes=2**16):
        assert batch.texts.nbytes <= 1.1 * 2**16
        assert pa.total_allocated_bytes() - before < 6 * 2**20


def test_an_empty_row_group_does_not_make_batches_small(tmp_path):
    path = tmp_path / "a.parquet"
    table = pa.table({"text": TEXTS, "y": [1, 2, 3, 4, 5]})
    with pq.ParquetWriter(path, table.schema) as writer:
        for part in (table[:0], table):
            writer.write_table(part)
    assert len(next(read_batches(path, text="text")).texts) == 5
