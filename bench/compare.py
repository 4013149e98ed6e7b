"""Two commits in one sitting: what one benchmark takes at each.

    python bench/compare.py BASE [HEAD] [--bench FILE] [-k EXPRESSION] [--rounds N]

Both commits are checked out and built beside each other in a temporary folder, and run
the benchmark of HEAD in turns. Slower counts as a regression only where it is both in
relative and in absolute terms; there being one is the exit status 1.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import tempfile
from pathlib import Path

import numpy as np

# Slower by more than this share of the base's time, and by more than so many seconds.
SLOWER_BY, SECONDS = 0.05, 5e-6


def build(commit: str, folder: Path) -> None:
    """Check a commit out and compile it in place."""
    subprocess.run(
        ["git", "worktree", "add", "--detach", "--quiet", str(folder), commit],
        check=True,
    )
    command = [sys.executable, "setup.py", "build_ext", "--inplace", "--quiet"]
    subprocess.run(command, cwd=folder, check=True, stdout=subprocess.DEVNULL)
    where = [sys.executable, "-c", "import sparse_adagrad as s; print(s.__file__)"]
    imported = subprocess.check_output(where, env=environment(folder), text=True)
    if not Path(imported.strip()).is_relative_to(folder):
        raise SystemExit(f"{imported.strip()} was imported, not what is in {folder}.")


def environment(folder: Path) -> dict[str, str]:
    """In which the package of a checkout is imported."""
    return {**os.environ, "PYTHONPATH": str(folder / "src")}


def run(source: Path, bench: Path, expression: str | None) -> dict[str, float]:
    """Median seconds of each benchmark with the package of one checkout."""
    with tempfile.TemporaryDirectory() as folder:
        report = Path(folder) / "report.json"
        command = [sys.executable, "-m", "pytest", "-q", str(bench)]
        command += ["-k", expression] if expression else []
        subprocess.run(
            [*command, f"--benchmark-json={report}"],
            check=True,
            stdout=subprocess.DEVNULL,
            env=environment(source),
        )
        found = json.loads(report.read_text(encoding="utf-8"))["benchmarks"]
    return {each["name"]: each["stats"]["median"] for each in found}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("base")
    parser.add_argument("head", nargs="?", default="HEAD")
    parser.add_argument("--bench", default="bench/bench_estimator.py")
    parser.add_argument("-k", dest="expression")
    parser.add_argument("--rounds", type=int, default=3)
    arguments = parser.parse_args()
    folders: dict[str, Path] = {}
    with tempfile.TemporaryDirectory() as temporary:
        try:
            for name in ("base", "head"):
                folders[name] = Path(temporary) / name
                build(getattr(arguments, name), folders[name])
            bench = folders["head"] / arguments.bench
            runs = []
            for round_ in range(arguments.rounds):
                # Neither always finds the machine as the other leaves it.
                names = list(folders)[:: -1 if round_ % 2 else 1]
                runs.append(
                    {n: run(folders[n], bench, arguments.expression) for n in names}
                )
        finally:
            for folder in folders.values():
                command = ["git", "worktree", "remove", "--force", str(folder)]
                subprocess.run(command, check=False)
    regressions = 0
    print(f"{'median ms':<50}{'base':>10}{'head':>10}{'more':>10}{'ratio':>8}")
    for benchmark in runs[0]["head"]:
        base, head = (
            float(np.median([each[name][benchmark] for each in runs]))
            for name in ("base", "head")
        )
        slower = head > base * (1 + SLOWER_BY) and head > base + SECONDS
        regressions += slower
        print(
            f"{benchmark:<50}{base * 1e3:>10.3f}{head * 1e3:>10.3f}"
            f"{(head - base) * 1e3:>+10.3f}{head / base:>8.3f}"
            f"{'  SLOWER' if slower else ''}"
        )
    sys.exit(1 if regressions else 0)


if __name__ == "__main__":
    main()
