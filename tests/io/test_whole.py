"""Files that are written whole or not at all."""

import os
import sys

import pytest

from sparse_adagrad.io.whole import check_writable, written_whole


def write(path):
    with written_whole(path) as beside:
        beside.write_text("new")


def interrupted_at(place, does, *arguments):
    """Whether Ctrl-C came: at the place-th of those where Python looks for signals."""
    n_passed = 0

    def interrupt(frame, event, argument):
        nonlocal n_passed
        n_passed += event in ("call", "c_return")
        if n_passed == place:
            sys.setprofile(None)
            raise KeyboardInterrupt

    before = sys.getprofile()
    sys.setprofile(interrupt)
    try:
        does(*arguments)
    except KeyboardInterrupt:
        return True
    finally:
        sys.setprofile(before)
    return False


@pytest.mark.filterwarnings("ignore:.*unclosed")  # Of what was being opened.
@pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")
@pytest.mark.parametrize("does", [write, check_writable])
def test_ctrl_c_leaves_nothing_whenever_it_comes(tmp_path, does):
    path = tmp_path / "m"
    path.write_text("old")
    place = 1
    while interrupted_at(place, does, path):
        assert os.listdir(tmp_path) == ["m"], place
        assert path.read_text() in ("old", "new")
        place += 1
    assert place > 20
    assert path.read_text() == ("new" if does is write else "old")


def test_permissions_are_those_of_what_was_there_or_of_any_new_file(tmp_path):
    path, any_new = tmp_path / "m", tmp_path / "n"
    any_new.touch()
    write(path)
    assert path.stat().st_mode == any_new.stat().st_mode
    path.chmod(0o640)
    mode = path.stat().st_mode
    write(path)
    assert path.read_text() == "new"
    assert path.stat().st_mode == mode
