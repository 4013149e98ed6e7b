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

SLOWER_BY = 0.05  # of the base's time,
SECONDS = 0.0005  # and at least so much


def build(commit: str, folder: Path) -> None:
    """Check a commit out and compile it in place."""
    subprocess.run(
        ["git", "worktree", "add", "--detach", "--quiet", str(folder), commit],
        check=True,
    )
    command = [sys.executable, "setup.py", "build_ext", "--inplace", "--quiet"]
    subprocess.run(command, cwd=folder, check=True, stdout=subprocess.DEVNULL)


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
            env={**os.environ, "PYTHONPATH": str(source / "src")},
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
            runs = [
                {n: run(f, bench, arguments.expression) for n, f in folders.items()}
                for _ in range(arguments.rounds)
            ]
        finally:
            for folder in folders.values():
                command = ["git", "worktree", "remove", "--force", str(folder)]
                subprocess.run(command, check=False)
    regressions = 0
    for benchmark in runs[0]["head"]:
        base, head = (
            float(np.median([each[name][benchmark] for each in runs]))
            for name in ("base", "head")
        )
        slower = head > base * (1 + SLOWER_BY) and head > base + SECONDS
        regressions += slower
        print(
            f"{benchmark:<50}{base * 1e3:>10.3f} ms{head * 1e3:>10.3f} ms"
            f"{head / base:>8.3f}{'  SLOWER' if slower else ''}"
        )
    sys.exit(1 if regressions else 0)


if __name__ == "__main__":
    main()
