"""Vowpal Wabbit with its defaults, from a cache file that an earlier pass has made."""

import os
import sys
import tempfile
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
    """Learn for so many passes; the first makes the cache and is not counted."""
    folder = tempfile.mkdtemp()
    path = folder + "/rows.vw"
    write(path, X, y)
    bits = f"-b {(X.shape[1] - 1).bit_length()} --quiet --holdout_off"
    cache = f"--cache_file {folder}/cache"
    Workspace(f"{bits} {cache} -k -d {path}").finish()
    start = time.perf_counter()
    command = f"{bits} {cache} -d {path} --passes {passes} -f {folder}/model"
    Workspace(command).finish()
    seconds = time.perf_counter() - start

    def predict(X_test):
        write(folder + "/test.vw", X_test)
        said = folder + "/predicted"
        model = f"-i {folder}/model -t --quiet -d {folder}/test.vw -p {said}"
        Workspace(model).finish()
        with open(said, encoding="ascii") as file:
            predicted = [float(line.split()[0]) for line in file]
        for name in os.listdir(folder):
            os.remove(os.path.join(folder, name))
        os.rmdir(folder)
        return predicted

    return predict, seconds


if __name__ == "__main__":
    sys.exit(main(train))
