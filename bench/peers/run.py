"""All peers on the same rows: a table, the ratios to ours, and a picture.

    python bench/peers/run.py [--task NAME] [--only PEER ...] [--picture FILE]
        [--python PEER=EXECUTABLE ...]

Every peer runs in a process of its own, and in an environment of its own where
``--python`` names one; a peer that is not installed is left out with its reason. It
trains for 1 and for 6 passes, several times in turn with the others; what five passes
more have cost is five times its pass, without what it does only once. Slow peers get
fewer rows (the column says so), and their held-out error is then one of fewer rows.
The rows are made (200,000 of about 95 non-zeros in 2^18 columns, float32, a tenth
more held out) or those of a real task in ``SPARSE_ADAGRAD_DATA``.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
import tempfile
from pathlib import Path

import numpy as np
from scipy import sparse as sp

HERE = Path(__file__).parent
sys.path.insert(0, str(HERE.parent))
PASSES = (1, 6)
OURS, SOLVER = "sparse_adagrad_", "ridge"
# Script, what it is called, rows it gets at most, what its pass must be over ours.
PEERS = {
    OURS: ("sparse-adagrad", None, None),
    "sgd": ("SGDRegressor", None, 3),
    "ridge": ("Ridge(sparse_cg)", None, None),
    "vw": ("Vowpal Wabbit, from cache", None, 6),
    "torch_": ("torch, sparse Adagrad", 50_000, 60),
    "river_": ("river, AdaGrad", 10_000, None),
    "lightning_": ("lightning AdaGradRegressor", None, 12),
}


def write_data(task: str | None, folder: Path) -> int:
    """Put the rows where the peers find them; return how many to train on."""
    if task is None:
        from zipf import zipf_rows, zipf_target

        X = zipf_rows(220_000, 2**18, 95)
        y = zipf_target(X)
        X, X_test, y, y_test = X[:200_000], X[200_000:], y[:200_000], y[200_000:]
    else:
        from tasks import load_task

        split = load_task(task).split("tfidf")
        X, y, X_test, y_test = split.X, split.y, split.X_test, split.y_test
    sp.save_npz(folder / "X.npz", sp.csr_matrix(X), compressed=False)
    sp.save_npz(folder / "X_test.npz", sp.csr_matrix(X_test), compressed=False)
    np.save(folder / "y.npy", y)
    np.save(folder / "y_test.npy", y_test)
    return len(y)


def run(peer: str, python: str, folder: Path, passes: int, rows: int) -> dict | str:
    """One training in its own process: what it reports, or why it does not run."""
    command = [python, str(HERE / f"{peer}.py"), str(folder), str(passes), str(rows)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode == 0:
        return json.loads(done.stdout.splitlines()[-1])
    reason = done.stderr.strip().splitlines()[-1]
    if "ModuleNotFoundError" in reason:
        return reason
    raise SystemExit(f"{peer}: {done.stderr}")


def measure(
    peers: list[str], pythons: dict[str, str], folder: Path, n_rows: int, rounds: int
) -> dict[str, list[dict]]:
    """For every peer that runs, medians for each number of passes."""
    reports: dict[str, dict[int, list[dict]]] = {peer: {} for peer in peers}
    for _ in range(rounds):
        for peer in list(reports):
            rows = min(n_rows, PEERS[peer][1] or n_rows)
            for passes in PASSES:
                python = pythons.get(peer, sys.executable)
                report = run(peer, python, folder, passes, rows)
                if isinstance(report, str):
                    print(f"{PEERS[peer][0]} is left out: {report}")
                    del reports[peer]
                    break
                report["rows"] = rows
                reports[peer].setdefault(passes, []).append(report)
    return {
        peer: [
            {**each[0], "seconds": float(np.median([r["seconds"] for r in each]))}
            for each in by_passes.values()
        ]
        for peer, by_passes in reports.items()
    }


def pass_ns(reports: list[dict]) -> float:
    """Nanoseconds a non-zero of one pass."""
    first, last = reports
    seconds = (last["seconds"] - first["seconds"]) / (PASSES[1] - PASSES[0])
    return seconds / last["nnz"] * 1e9


def show(measured: dict[str, list[dict]]) -> None:
    print("| learner | rows | ns a non-zero and pass | over ours | must be ", end="")
    print("| seconds of 6 passes | RMSE after 1 | after 6 | MiB beside the data |")
    print("| --- " * 9 + "|")
    ours = pass_ns(measured[OURS])
    for peer, reports in measured.items():
        name, _, must = PEERS[peer]
        first, last = reports
        ns = pass_ns(reports)
        figures = f"{ns:.2f} | {ns / ours:.1f}" if peer != SOLVER else "|"
        print(
            f"| {name} | {last['rows']:,} | {figures} "
            f"| {'' if must is None else f'>= {must}'} | {last['seconds']:.2f} "
            f"| {first['rmse']:.4f} | {last['rmse']:.4f} | {last['MiB']:.0f} |"
        )


def draw(measured: dict[str, list[dict]], n_rows: int, picture: str) -> None:
    """Seconds over held-out error; peers that got fewer rows are not comparable."""
    import matplotlib

    matplotlib.use("Agg")
    from matplotlib import pyplot as plt

    fig, ax = plt.subplots(figsize=(6.4, 4.0), layout="constrained")
    for peer, marker in zip(PEERS, "osD^vPX", strict=True):
        if peer not in measured or measured[peer][0]["rows"] < n_rows:
            continue
        line = [(r["seconds"], r["rmse"]) for r in measured[peer]]
        ax.semilogx(*zip(*line, strict=True), marker + "-", label=PEERS[peer][0])
    ax.set(xlabel="seconds of training, 1 and 6 passes", ylabel="held-out RMSE")
    ax.grid(alpha=0.3, which="both")
    ax.legend(frameon=False, fontsize=8)
    fig.savefig(picture, dpi=90)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--task", help="a real task instead of made rows")
    parser.add_argument("--only", nargs="+", choices=PEERS, default=list(PEERS))
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--picture")
    parser.add_argument("--python", nargs="+", default=[], metavar="PEER=EXECUTABLE")
    arguments = parser.parse_args()
    pythons = dict(each.split("=", 1) for each in arguments.python)
    peers = [OURS, *(peer for peer in arguments.only if peer != OURS)]
    with tempfile.TemporaryDirectory() as folder:
        n_rows = write_data(arguments.task, Path(folder))
        measured = measure(peers, pythons, Path(folder), n_rows, arguments.rounds)
    show(measured)
    if arguments.picture:
        draw(measured, n_rows, arguments.picture)


if __name__ == "__main__":
    main()
