"""JSON lines against Python's json module."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sparse_adagrad.io import read_batches

texts = st.text(st.characters(codec="utf-8"), max_size=20)
rows = st.lists(
    st.tuples(
        texts, texts, st.one_of(st.integers(-(2**70), 2**70), st.floats(-1e9, 1e9))
    ),
    min_size=1,
    max_size=8,
)


@given(rows, st.booleans(), st.sampled_from(["\n", "\r\n", "\n\n"]), st.integers(1, 50))
def test_same_as_the_json_module(tmp_path_factory, rows, ascii_only, end, size):
    path = tmp_path_factory.mktemp("json") / "a.jsonl"
    lines = [
        json.dumps(
            {"y": y, "b": b, "rest": [1, {"a": None}], "a": a}, ensure_ascii=ascii_only
        )
        for a, b, y in rows
    ]
    path.write_bytes(end.join(lines).encode())
    batches = list(
        read_batches(path, text=["a", "b"], target="y", batch_rows=3, batch_bytes=size)
    )
    found = [text for batch in batches for text in batch.texts]
    loaded = [json.loads(line) for line in lines]
    assert found == [f"{row['a']} {row['b']}" for row in loaded]
    assert [y for b in batches for y in b.y.tolist()] == [float(r["y"]) for r in loaded]


BAD_LINES = {
    "x": "this is no JSON",
    '{"text": "a", "y": 1': "this is no JSON",
    '{"text": "a", "y": 1} 2': "this is no JSON",
    '{"text": "a", "y": NaN}': "this is no JSON",
    '{"text": "\\ud800", "y": 1}': "this is no JSON",
    '{"text": "\udcff", "y": 1}': "this is no JSON",
    '["a", 1]': "this is no JSON object",
    '{"y": 1}': "no 'text'; a text is needed",
    '{"text": null, "y": 1}': "text is None; a text",
    '{"text": 3, "y": 1}': "text is 3; a text",
    '{"text": "a"}': "no 'y'; a number is needed",
    '{"text": "a", "y": null}': "y is None, which is no finite number",
    '{"text": "a", "y": "1"}': "y is '1', which",
    '{"text": "a", "y": true}': "y is True, which",
    '{"text": "a", "y": [1]}': "y is [1], which",
    f'{{"text": "a", "y": "{"z" * 9999}"}}': f"y is '{'z' * 200}'..., which",
    f'{{"text": "a", "y": [{"1," * 999}1]}}': "1, 1..., which",
}  # fmt: skip


@pytest.mark.parametrize("size", [1, 10**6])
@pytest.mark.parametrize("line", BAD_LINES)
def test_bad_lines(tmp_path, line, size):
    path = tmp_path / "bad.jsonl"
    content = f'﻿{{"text": "a", "y": 1}}\n\n{line}\n{{"text": "b", "y": 2}}'
    path.write_bytes(content.encode("utf-8", "surrogateescape"))
    arguments = {"text": "text", "target": "y", "batch_bytes": size}
    with pytest.raises(ValueError, match=r"bad\.jsonl, line 3: ") as error:
        list(read_batches(path, **arguments))
    assert BAD_LINES[line] in str(error.value)
    batches = list(read_batches(path, **arguments, on_bad_line="skip"))
    assert [text for batch in batches for text in batch.texts] == ["a", "b"]
    assert batches[-1].skipped == 1


def test_no_target_asked_for(tmp_path):
    path = tmp_path / "a.ndjson"
    path.write_text('{"text": "a", "y": "x"}\n')
    (batch,) = read_batches(path, text="text")
    assert batch.texts == ["a"] and batch.y is None
