"""What all formats share: files, compression, standard input, reading ahead."""

import io
import math
import os
import subprocess
import sys
import threading
import time
from types import SimpleNamespace

import pyarrow as pa
import pytest
from pyarrow import parquet as pq

from sparse_adagrad.io import read_batches, read_svmlight
from sparse_adagrad.io.ahead import DEPTH, read_ahead
from tests.io.files import COMPRESS

ROWS = [(f"text {i} é", i / 4) for i in range(50)]
FORMATS = {
    "csv": "text,y\n" + "".join(f"{text},{y}\n" for text, y in ROWS),
    "tsv": "text\ty\n" + "".join(f"{text}\t{y}\n" for text, y in ROWS),
    "jsonl": "".join(f'{{"text": "{text}", "y": {y}}}\n' for text, y in ROWS),
    "svmlight": "".join(f"{y} {i + 1}:2\n" for i, (_, y) in enumerate(ROWS)),
}


def read(path, kind, **arguments):
    """Batches of any format, with small limits."""
    arguments = {"batch_rows": 7, "batch_bytes": 100} | arguments
    if kind == "svmlight":
        return read_svmlight(path, **arguments)
    return read_batches(path, text="text", target="y", **arguments)


def numbers(batches):
    return [number for batch in batches for number in batch.y.tolist()]


def readers():
    return [t for t in threading.enumerate() if t.name == "sparse_adagrad reader"]


@pytest.fixture(autouse=True)
def no_thread_is_left():
    yield
    assert not readers()


@pytest.mark.parametrize("ending", COMPRESS)
@pytest.mark.parametrize("kind", FORMATS)
def test_compressed_files(tmp_path, kind, ending):
    path = tmp_path / f"a.{kind}{ending}"
    path.write_bytes(COMPRESS[ending](FORMATS[kind].encode()))
    batches = list(read(path, kind))
    assert numbers(batches) == [y for _, y in ROWS]
    if kind != "svmlight":
        found = [str(text) for batch in batches for text in batch.texts]
        assert found == [text for text, _ in ROWS]
    told = [batch.bytes_read for batch in batches]
    assert told == sorted(told) and told[-1] == path.stat().st_size
    assert {batch.bytes_total for batch in batches} == {path.stat().st_size}
    assert all(1 <= len(batch.y) <= 7 for batch in batches)
    # The name does not have to tell.
    other = tmp_path / "other"
    path.rename(other)
    assert numbers(read(other, kind, format=kind + ending)) == numbers(batches)


@pytest.mark.parametrize("ending", [".gz", ".bz2", ".zst"])
def test_compressed_files_that_are_cut_off_or_none(tmp_path, ending):
    path = tmp_path / f"a.csv{ending}"
    whole = COMPRESS[ending](os.urandom(500_000).hex().encode())
    middle = len(whole) // 2
    damaged = whole[:middle] + bytes(64) + whole[middle + 64 :]
    none = b"text,y\na,1\n" * 9
    for content in (whole[:-9], whole[:middle], damaged, none):
        path.write_bytes(b"" + content)
        with pytest.raises(ValueError, match=r"a\.csv.* is no whole"):
            list(read(path, "csv"))
    half = COMPRESS[ending](FORMATS["csv"].encode())
    path.write_bytes(half + half[:-5])
    with pytest.raises(ValueError, match=r"a\.csv"):
        list(read(path, "csv"))


def test_many_files(tmp_path):
    for i, (text, y) in enumerate(ROWS[:9]):
        header = "text,y\n" if i % 2 else "y,text\n"
        row = f"{text},{y}\n" if i % 2 else f"{y},{text}\n"
        (tmp_path / f"{i}.csv").write_text(header + row)
    expected = [y for _, y in ROWS[:9]]
    pattern = str(tmp_path / "*.csv")
    batches = list(read(pattern, "csv"))
    assert numbers(batches) == expected
    sizes = [(tmp_path / f"{i}.csv").stat().st_size for i in range(9)]
    assert [batch.bytes_total for batch in batches] == [sum(sizes)] * 9
    assert batches[-1].bytes_read == sum(sizes)
    named = [tmp_path / f"{i}.csv" for i in range(9)]
    assert numbers(read(named, "csv")) == expected
    assert numbers(read([named[0], str(tmp_path / "[1-8].csv")], "csv")) == expected
    # A file may have a name that would be a pattern, and formats may be mixed.
    odd = tmp_path / "[x].jsonl"
    odd.write_text('{"text": "a", "y": 7}')
    parquet = tmp_path / "b.parquet"
    pq.write_table(pa.table({"text": ["a"], "y": [8]}), parquet)
    batches = list(read([odd, named[0], parquet], "csv"))
    assert numbers(batches) == [7, 0, 8]
    assert batches[-1].bytes_read == batches[-1].bytes_total
    # The line is that of the file, the count that of the stream.
    named[3].write_text("text,y\n\na,x\n")
    with pytest.raises(ValueError, match=r"3\.csv, line 3"):
        list(read(pattern, "csv"))
    named[8].write_text("text,y\nb\n")
    batches = list(read(pattern, "csv", on_bad_line="skip"))
    assert len(batches) == 7 and batches[-1].skipped == 2


def test_many_svmlight_files_have_one_width_and_base(tmp_path):
    (tmp_path / "a.svm").write_text("1 0:1 3:1\n")
    (tmp_path / "b.svm").write_text("2 1:1\n")
    batches = list(read_svmlight(str(tmp_path / "?.svm")))
    assert [batch.X.shape for batch in batches] == [(1, 4), (1, 4)]
    assert batches[1].X.indices.tolist() == [1]


@pytest.mark.parametrize("ending", COMPRESS)
@pytest.mark.parametrize("kind", FORMATS)
def test_standard_input(monkeypatch, kind, ending):
    content = COMPRESS[ending](FORMATS[kind].encode())
    stdin = SimpleNamespace(buffer=io.BytesIO(content))
    monkeypatch.setattr(sys, "stdin", stdin)
    batches = list(read("-", kind, format=kind + ending))
    assert numbers(batches) == [y for _, y in ROWS]
    assert batches[-1].bytes_total is None
    assert batches[-1].bytes_read == len(content)
    stdin.buffer = io.BytesIO(b"text,y\na,x\n")
    with pytest.raises(ValueError, match="standard input, line 2: y is 'x'"):
        list(read("-", "csv", format="csv"))


READ_STANDARD_INPUT = """
from sparse_adagrad.io import read_batches
batches = read_batches("-", text="text", target="y", format="csv", batch_bytes=100)
print(sum(len(batch.y) for batch in batches))
"""
LEAVE_STANDARD_INPUT = """
import os, signal, threading
from sparse_adagrad.io import read_batches
batches = read_batches("-", text="text", format="csv")
threading.Timer(0.2, os.kill, (os.getpid(), signal.SIGINT)).start()
try:
    next(batches)
except KeyboardInterrupt:
    print("interrupted")
"""


def test_standard_input_is_a_pipe():
    command = [sys.executable, "-c", READ_STANDARD_INPUT]
    with subprocess.Popen(
        command, stdin=subprocess.PIPE, stdout=subprocess.PIPE
    ) as process:
        # In pieces that end in the middle of a line.
        content = FORMATS["csv"].encode()
        for start in range(0, len(content), 97):
            process.stdin.write(content[start : start + 97])
            process.stdin.flush()
        output, _ = process.communicate(timeout=60)
    assert output.strip() == b"50" and process.returncode == 0


@pytest.mark.skipif(sys.platform == "win32", reason="Windows has no such signal")
def test_an_interrupt_does_not_wait_for_standard_input():
    command = [sys.executable, "-c", LEAVE_STANDARD_INPUT]
    with subprocess.Popen(
        command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE
    ) as process:
        assert process.wait(timeout=60) == 0
        assert process.stdout.read().strip() == b"interrupted"
        assert process.stderr.read() == b""


@pytest.mark.skipif(sys.platform == "win32", reason="pipes always wait on Windows")
def test_standard_input_that_does_not_wait(monkeypatch):
    reading, writing = os.pipe()
    os.set_blocking(reading, False)
    with open(reading) as file, open(writing, "w"):
        monkeypatch.setattr(sys, "stdin", file)
        with pytest.raises(BlockingIOError, match="give one that waits"):
            list(read_batches("-", text="text", format="csv"))


def test_paths_and_formats_that_are_wrong(tmp_path):
    (tmp_path / "a.txt").write_text("text,y\na,1\n")
    (tmp_path / "a.svm").write_text("1 1:1\n")
    (tmp_path / "a.parquet.gz").write_text("")
    for path, kind, error, said in (
        (tmp_path / "none.csv", None, FileNotFoundError, r"none\.csv"),
        (str(tmp_path / "*.tsv"), None, FileNotFoundError, "No such file matches"),
        (tmp_path, None, IsADirectoryError, "directory"),
        ([], None, ValueError, "paths is empty"),
        (tmp_path / "a.txt", None, ValueError, "of no known format: .* Or give"),
        (tmp_path / "a.txt", "xls", ValueError, "'xls' is no known format: give one"),
        (tmp_path / "a.parquet.gz", None, ValueError, "of no known format"),
        (tmp_path / "a.svm", None, ValueError, "read_svmlight reads that"),
        ("-", None, ValueError, "Standard input has no name"),
    ):
        with pytest.raises(error, match=said):
            read(path, "csv", format=kind)
    assert numbers(read(tmp_path / "a.txt", "csv", format="csv")) == [1]
    for text in ([], ["text", "text"]):
        with pytest.raises(ValueError, match="text="):
            read_batches(tmp_path / "a.txt", text=text, format="csv")


def made(n, closed, error=None):
    """A generator that tells when it is closed."""
    try:
        for i in range(n):
            closed.append(i)
            yield i
        if error is not None:
            raise error
    finally:
        closed.append("closed")


def wait_for(condition):
    deadline = time.monotonic() + 10
    while not condition() and time.monotonic() < deadline:
        time.sleep(0.001)
    assert condition()


def test_reading_is_ahead_but_not_far():
    steps = []
    ahead = read_ahead(made(100, steps))
    assert next(ahead) == 0 and len(readers()) == 1
    wait_for(lambda: len(steps) == DEPTH + 1)
    time.sleep(0.05)
    assert steps == list(range(DEPTH + 1))
    ahead.close()
    assert steps[-1] == "closed" and not readers()
    steps = []
    assert list(read_ahead(made(5, steps))) == [0, 1, 2, 3, 4]
    assert steps == [0, 1, 2, 3, 4, "closed"]


@pytest.mark.parametrize(
    "error", [ValueError("bad"), MemoryError(), KeyboardInterrupt()]
)
def test_errors_come_after_what_was_read(error):
    found = []
    with pytest.raises(type(error)) as raised:
        for item in read_ahead(made(5, [], error)):
            found.append(item)
    assert raised.value is error and found == [0, 1, 2, 3, 4]


def test_no_thread_without_a_reader_of_it(tmp_path):
    path = tmp_path / "a.csv"
    path.write_text(FORMATS["csv"])
    batches = read(path, "csv")
    assert not readers()
    batches.close()
    for batch in read(path, "csv"):
        assert len(batch.y)
        break  # the generator is not used any more and closes itself
    batches = read(path, "csv")
    with pytest.raises(KeyboardInterrupt):
        for _ in batches:
            raise KeyboardInterrupt
    batches.close()
    assert list(batches) == []


def test_files_are_closed(tmp_path):
    """Open ones would be warned of, and warnings are errors."""
    path = tmp_path / "a.csv.gz"
    path.write_bytes(COMPRESS[".gz"](FORMATS["csv"].encode()))
    count = len(os.listdir("/proc/self/fd")) if os.path.exists("/proc/self/fd") else 0
    for _ in range(20):
        batches = read(path, "csv")
        next(batches)
        batches.close()
    if count:
        assert len(os.listdir("/proc/self/fd")) <= count


def test_memory_does_not_grow_with_the_file(tmp_path):
    tracemalloc = pytest.importorskip("tracemalloc")
    peaks = []
    for n_rows in (20_000, 200_000):
        path = tmp_path / f"{n_rows}.csv.gz"
        body = "".join(f"text number {i},{i}\n" for i in range(n_rows))
        path.write_bytes(COMPRESS[".gz"](b"text,y\n" + body.encode()))
        tracemalloc.start()
        count = 0
        for batch in read(path, "csv", batch_rows=1000, batch_bytes=2**16):
            count += len(batch.y)
        peaks.append(tracemalloc.get_traced_memory()[1])
        tracemalloc.stop()
        assert count == n_rows
    assert peaks[1] < 1.2 * peaks[0]


@pytest.mark.parametrize("kind", [*FORMATS, "parquet"])
def test_targets_have_to_be_above(tmp_path, kind):
    path = tmp_path / f"data.{kind}"
    if kind == "parquet":
        texts, y = zip(*ROWS, strict=True)
        pq.write_table(pa.table({"text": texts, "y": y}), path)
    else:
        path.write_text(FORMATS[kind])
    targets = [y for _, y in ROWS]
    assert numbers(read(path, kind, target_above=-0.25)) == targets
    what = r"data\..*(line|row) \d.* is '?0(\.0)?'?, which is not above 0\."
    with pytest.raises(ValueError, match=what):
        list(read(path, kind, target_above=0))
    good = list(read(path, kind, target_above=3, on_bad_line="skip"))
    assert numbers(good) == [y for y in targets if y > 3]
    assert good[-1].skipped == sum(y <= 3 for y in targets)
    for above in (math.inf, math.nan):
        with pytest.raises(ValueError, match="no target would be"):
            read(path, kind, target_above=above)
