"""Ours, as `fit` has it: the defaults, shuffled, one thread."""

from common import main

from sparse_adagrad import SparseAdaGradRegressor


def train(X, y, passes):
    """Fit for so many epochs."""
    model = SparseAdaGradRegressor(max_iter=passes, tol=None, random_state=0)
    return model.fit(X, y).predict, None


if __name__ == "__main__":
    main(train)
