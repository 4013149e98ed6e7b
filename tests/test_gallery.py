"""The page of pictures, and the command line that writes them."""

import base64
import re

import pytest

from sparse_adagrad import demo, gallery
from tests.commands import run

PNG = b"\x89PNG\r\n"


@pytest.fixture(autouse=True)
def few_functions(monkeypatch, functions):
    functions = functions[::60]
    monkeypatch.setattr(gallery, "library_functions", lambda: functions)
    monkeypatch.setattr(demo, "library_functions", lambda: functions)
    gallery.fitted.cache_clear()
    yield
    gallery.fitted.cache_clear()


def test_page_has_every_picture_and_its_code(tmp_path):
    gallery.main([str(tmp_path / "out")])
    page = (tmp_path / "out" / "index.html").read_text(encoding="utf-8")
    pictures = re.findall(r'src="data:image/png;base64,([^"]+)"', page)
    examples = (*gallery.DEMO, *gallery.TEXTBOOK)
    assert len(set(pictures)) == len(examples) == 5
    assert all(base64.b64decode(each).startswith(PNG) for each in pictures)
    for example in examples:
        assert f"def {example.__name__}(ax: Axes)" in page
    assert "http" not in page
    with pytest.raises(SystemExit, match="usage"):
        gallery.main([])


@pytest.mark.parametrize(
    ("command", "examples"),
    [(["demo"], gallery.DEMO), (["textbook", "--epochs", "2"], gallery.TEXTBOOK)],
    ids=["demo", "textbook"],
)
def test_commands_write_pictures(tmp_path, command, examples):
    done = run([*command, "--plots", str(tmp_path / "pictures")])
    assert done.exit_code == 0, done.output
    written = {path.name: path for path in (tmp_path / "pictures").iterdir()}
    assert set(written) == {f"{example.__name__}.png" for example in examples}
    assert all(path.read_bytes().startswith(PNG) for path in written.values())
    (tmp_path / "file").touch()
    refused = run([*command, "--plots", str(tmp_path / "file")])
    assert refused.exit_code == 1 and "error" in refused.output
