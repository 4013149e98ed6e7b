"""All peers on the same rows: tables, the ratios to ours, and a picture.

    python bench/peers/run.py [--tasks NAME ...] [--only PEER ...] [--rounds N]
        [--picture FILE] [--python PEER=EXECUTABLE ...]

Every peer runs in a process of its own, and in an environment of its own where
``--python`` names one; a peer that is not installed is left out with its reason. It
trains for 1, 2, 6 and 20 passes, several times in turn with the others. What five
passes more than the first have cost is five times its pass, without what it does only
once. Slow peers get fewer passes or rows (a column says so), and the held-out error is
then one of fewer rows. A learner whose held-out predictions are no better correlated
with the targets than chance ends the run.

The rows are made (200,000 of about 95 non-zeros in 2^18 columns, float32, a tenth more
held out) and, where ``SPARSE_ADAGRAD_DATA`` is set, those of a real task.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
import tempfile
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from scipy import sparse as sp

sys.path.insert(0, str(Path(__file__).parents[1]))
from tasks import data_folder, load_task
from zipf import zipf_rows, zipf_target

HERE = Path(__file__).parent
PASSES = (1, 2, 6, 20)
FIRST, LAST = 1, 6  # between them a pass is measured
MADE = "made"


@dataclass(frozen=True)
class Peer:
    """A script here: what it is called, what it can bear, what is asked of us."""

    name: str
    script: str
    passes: tuple[int, ...] = PASSES
    most_rows: int | None = None
    one_core: bool = False
    least_ratio: int | None = None


OURS = "sparse-adagrad"
PEERS = {
    peer.name: peer
    for peer in (
        Peer(OURS, "sparse_adagrad_.py"),
        Peer("SGDRegressor", "sgd.py", least_ratio=3),
        Peer("Ridge(sparse_cg)", "ridge.py", passes=(1,)),
        Peer("Vowpal Wabbit", "vw.py", least_ratio=6),
        Peer("Vowpal Wabbit, one core", "vw.py", one_core=True, least_ratio=6),
        Peer("lightning", "lightning_.py", least_ratio=12),
        Peer("torch", "torch_.py", passes=PASSES[:3], least_ratio=60),
        Peer("river", "river_.py", passes=PASSES[:3], most_rows=10_000),
    )
}
# Of one peer, by passes: the medians of what its processes reported.
Reports = dict[int, dict[str, float]]


def write_data(task: str, folder: Path) -> int:
    """Put the rows where the peers find them; return how many to train on."""
    if task == MADE:
        X = zipf_rows(220_000, 2**18, 95)
        y = zipf_target(X)
        X, X_test, y, y_test = X[:200_000], X[200_000:], y[:200_000], y[200_000:]
    else:
        split = load_task(task).split("tfidf")
        X, y, X_test, y_test = split.X, split.y, split.X_test, split.y_test
    sp.save_npz(folder / "X.npz", sp.csr_matrix(X), compressed=False)
    sp.save_npz(folder / "X_test.npz", sp.csr_matrix(X_test), compressed=False)
    np.save(folder / "y.npy", y)
    np.save(folder / "y_test.npy", y_test)
    return len(y)


def run(peer: Peer, python: str, folder: Path, passes: int, rows: int) -> dict | str:
    """One training in its own process: what it reports, or why it does not run."""
    command = [python, str(HERE / peer.script), str(folder), str(passes), str(rows)]
    if peer.one_core:
        command = ["taskset", "--cpu-list", "0", *command]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode:
        reason = (done.stderr.strip() or "no reason given").splitlines()[-1]
        if "ModuleNotFoundError" in reason:
            return reason
        raise SystemExit(f"{peer.name}: {done.stderr}")
    report = json.loads(done.stdout.splitlines()[-1])
    # A low error is not asked for: SGDRegressor's defaults may do worse than the mean.
    if not report["standard_errors"] > 3:
        raise SystemExit(f"{peer.name} has learned nothing: {report}")
    return report | {"rows": rows}


def measure(
    peers: list[str], pythons: dict[str, str], folder: Path, n_rows: int, rounds: int
) -> dict[str, Reports]:
    """What every peer that runs reports."""
    reports: dict[str, dict[int, list]] = {peer: {} for peer in peers}
    for _ in range(rounds):
        for peer in list(reports):
            rows = min(n_rows, PEERS[peer].most_rows or n_rows)
            python = pythons.get(peer, sys.executable)
            for passes in PEERS[peer].passes:
                report = run(PEERS[peer], python, folder, passes, rows)
                if isinstance(report, str):
                    print(f"{peer} is left out: {report}")
                    del reports[peer]
                    break
                reports[peer].setdefault(passes, []).append(report)
    return {
        peer: {
            passes: {key: float(np.median([r[key] for r in each])) for key in each[0]}
            for passes, each in by_passes.items()
        }
        for peer, by_passes in reports.items()
    }


def pass_ns(reports: Reports) -> float:
    """Nanoseconds a non-zero of one pass."""
    first, last = reports[FIRST], reports[LAST]
    return (last["seconds"] - first["seconds"]) / (LAST - FIRST) / last["nnz"] * 1e9


def show(task: str, measured: dict[str, Reports]) -> None:
    """The table of a task."""
    print(f"\n{task}: the mean's RMSE is {measured[OURS][FIRST]['untrained']:.4f}\n")
    errors = " | ".join(f"RMSE after {passes}" for passes in PASSES)
    print(
        "| learner | rows | ns a non-zero and pass | pass over ours | must be ", end=""
    )
    print(f"| seconds of {LAST} passes | {errors} | MiB beside the data |")
    print("| --- " * (7 + len(PASSES)) + "|")
    ours = pass_ns(measured[OURS])
    for name, reports in measured.items():
        peer, last = PEERS[name], reports[min(LAST, max(reports))]
        ns = pass_ns(reports) if LAST in reports else None
        ratio = "|" if ns is None else f"{ns:.2f} | {ns / ours:.1f}"
        must = f">= {peer.least_ratio}" if peer.least_ratio and task == MADE else ""
        rmse = [f"{reports[n]['rmse']:.4f}" if n in reports else "" for n in PASSES]
        print(
            f"| {name} | {last['rows']:,.0f} | {ratio} "
            f"| {must} | {last['seconds']:.2f} | {' | '.join(rmse)} "
            f"| {last['MiB']:.0f} |",
            flush=True,
        )


COLOURS = {
    OURS: "#0072b2",
    "SGDRegressor": "#e69f00",
    "Ridge(sparse_cg)": "#009e73",
    "Vowpal Wabbit": "#d55e00",
    "lightning": "#cc79a7",
    "torch": "#56b4e9",
}


def draw(tasks: dict[str, dict[str, Reports]], picture: str) -> None:
    """Seconds over held-out error, by task; those of fewer rows are not comparable.

    Learners that stay far above the best are named, not drawn.
    """
    import matplotlib

    matplotlib.use("Agg")
    from matplotlib import pyplot as plt

    size = (0.8 + 4.4 * len(tasks), 4.2)
    fig, axes = plt.subplots(
        1, len(tasks), figsize=size, squeeze=False, layout="constrained"
    )
    for ax, (task, measured) in zip(axes[0], tasks.items(), strict=True):
        rows, untrained = (measured[OURS][FIRST][key] for key in ("rows", "untrained"))
        comparable = {
            peer: [(r["seconds"], r["rmse"]) for r in measured[peer].values()]
            for peer in COLOURS
            if peer in measured and measured[peer][FIRST]["rows"] == rows
        }
        best = {
            peer: min(rmse for _, rmse in line) for peer, line in comparable.items()
        }
        least = min(best.values())
        far = least + (untrained - least) / 3
        title = f"{task}, {rows:,.0f} rows\nnot drawn: the mean {untrained:.2f}"
        for peer, line in comparable.items():
            if best[peer] > far:
                title += f", {peer} {best[peer]:.2f} at best"
                continue
            ax.semilogx(
                *zip(*line, strict=True), "o-", color=COLOURS[peer], label=peer,
                markersize=4, linewidth=2.4 if peer == OURS else 1.4,
            )  # fmt: skip
        ax.set_title(title, size=10)
        ax.set_xlabel("seconds of training")
        ax.grid(alpha=0.3, which="both")
    axes[0, 0].set_ylabel("held-out RMSE")
    fig.legend(
        *axes[0, 0].get_legend_handles_labels(), loc="outside lower center",
        ncols=2 + len(tasks), frameon=False, fontsize=8,
    )  # fmt: skip
    fig.savefig(picture, dpi=90)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    real = ["imdb_rating"] if data_folder() else []
    parser.add_argument("--tasks", nargs="+", default=[MADE, *real], metavar="NAME")
    parser.add_argument("--only", nargs="+", choices=PEERS, default=list(PEERS))
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--picture", default=str(HERE.parent / "pictures/peers.png"))
    parser.add_argument("--python", nargs="+", default=[], metavar="PEER=EXECUTABLE")
    arguments = parser.parse_args()
    pythons = dict(each.split("=", 1) for each in arguments.python)
    peers = [OURS, *(peer for peer in arguments.only if peer != OURS)]
    tasks = {}
    for task in arguments.tasks:
        with tempfile.TemporaryDirectory() as folder:
            n_rows = write_data(task, Path(folder))
            tasks[task] = measure(
                peers, pythons, Path(folder), n_rows, arguments.rounds
            )
        show(task, tasks[task])
    draw(tasks, arguments.picture)


if __name__ == "__main__":
    main()
