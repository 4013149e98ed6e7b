"""scikit-learn's Ridge by conjugate gradients, as many as it wants."""

from common import main
from sklearn.linear_model import Ridge


def train(X, y, passes):
    """Fit; passes mean nothing to a solver."""
    model = Ridge(solver="sparse_cg")
    return model.fit(X, y.astype(X.dtype)).predict, None


if __name__ == "__main__":
    import warnings

    warnings.simplefilter("ignore")
    main(train)
