"""river's linear regression with AdaGrad, row by row; rows are dicts beforehand."""

import time

import numpy as np
from common import main
from river import linear_model, optim

RATE = 0.35


def dicts(X):
    """Every row as what river takes."""
    for i in range(X.shape[0]):
        row = slice(X.indptr[i], X.indptr[i + 1])
        yield dict(zip(X.indices[row].tolist(), X.data[row].tolist(), strict=True))


def train(X, y, passes):
    """Learn for so many passes, in sequence."""
    model = linear_model.LinearRegression(
        optimizer=optim.AdaGrad(RATE * y.std()), intercept_init=float(y.mean())
    )
    rows, targets = list(dicts(X)), y.tolist()
    start = time.perf_counter()
    for _ in range(passes):
        for row, target in zip(rows, targets, strict=True):
            model.learn_one(row, target)
    seconds = time.perf_counter() - start

    def predict(X_test):
        return np.array([model.predict_one(row) for row in dicts(X_test)])

    return predict, seconds


if __name__ == "__main__":
    main(train)
