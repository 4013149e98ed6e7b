"""What every peer's script does: read the data, train, predict, report.

Runs under other environments too (Python 3.10, NumPy 1), so it imports nothing of ours.
"""

import gc
import json
import sys
import time

import numpy as np
from scipy import sparse as sp


def peak_mib():
    """The most memory that the process has held since `forget_peak`; Linux."""
    with open("/proc/self/status", encoding="ascii") as file:
        lines = [line for line in file if line.startswith("VmHWM")]
    return int(lines[0].split()[1]) / 1024


def forget_peak():
    """Count the most memory from what is held now."""
    gc.collect()
    with open("/proc/self/clear_refs", "w", encoding="ascii") as file:
        file.write("5")


def main(train):
    """``python PEER.py DATA PASSES ROWS``: print a line of JSON.

    ``train(X, y, passes)`` returns a function that predicts, and the seconds that its
    training took where it does other things too, else None.
    """
    folder, passes, rows = sys.argv[1], int(sys.argv[2]), int(sys.argv[3])
    y = np.load(folder + "/y.npy")[:rows]
    X = sp.csr_matrix(sp.load_npz(folder + "/X.npz")[:rows])
    forget_peak()
    before = peak_mib()
    start = time.perf_counter()
    predict, seconds = train(X, y, passes)
    if seconds is None:
        seconds = time.perf_counter() - start
    peak = peak_mib()
    X_test = sp.csr_matrix(sp.load_npz(folder + "/X_test.npz"))
    y_test = np.load(folder + "/y_test.npy")
    predicted = np.asarray(predict(X_test))
    error, untrained = predicted - y_test, y.mean() - y_test
    correlation = np.corrcoef(predicted, y_test)[0, 1]
    report = {
        "seconds": seconds,
        "nnz": int(X.nnz),
        "rmse": float(np.sqrt(np.mean(error**2))),
        "standard_errors": float(correlation * np.sqrt(len(y_test))),
        "untrained": float(np.sqrt(np.mean(untrained**2))),
        "MiB": peak - before,
    }
    print(json.dumps(report))
