"""Vowpal Wabbit with its defaults, from a cache file that an earlier pass has made.

It reads the cache in a thread of its own, beside the one that learns.
"""

import os
import sys
import time

from common import main
from vowpalwabbit import Workspace


def write(path, X, y=None):
    """Rows in its own format, columns as numbers, which it does not hash."""
    with open(path, "w", encoding="ascii") as file:
        for i in range(X.shape[0]):
            row = slice(X.indptr[i], X.indptr[i + 1])
            pairs = zip(X.indices[row].tolist(), X.data[row].tolist(), strict=True)
            words = " ".join([f"{j}:{x:.7g}" for j, x in pairs])
            file.write(f"{'' if y is None else repr(float(y[i]))} | {words}\n")


def train(X, y, passes):
    """Learn for so many passes; the first process makes the cache, not counted."""
    # Beside the data, so that the next process finds it.
    path = sys.argv[1] + "/vw"
    bits = f"-b {(X.shape[1] - 1).bit_length()} --quiet --holdout_off"
    rows = f"--cache_file {path}.cache -d {path}.rows"
    if not os.path.exists(path + ".cache"):
        write(path + ".rows", X, y)
        Workspace(f"{bits} {rows}").finish()
    start = time.perf_counter()
    Workspace(f"{bits} {rows} --passes {passes} -f {path}.model").finish()
    seconds = time.perf_counter() - start

    def predict(X_test):
        write(path + ".test", X_test)
        test = f"-i {path}.model -t --quiet -d {path}.test -p {path}.predicted"
        Workspace(test).finish()
        with open(path + ".predicted", encoding="ascii") as file:
            return [float(line.split()[0]) for line in file]

    return predict, seconds


if __name__ == "__main__":
    main(train)
