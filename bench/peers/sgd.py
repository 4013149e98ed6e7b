"""scikit-learn's SGDRegressor with its defaults, shuffled; it takes float32."""

from common import main
from sklearn.linear_model import SGDRegressor


def train(X, y, passes):
    """Fit for so many epochs."""
    model = SGDRegressor(max_iter=passes, tol=None, random_state=0)
    return model.fit(X, y.astype(X.dtype)).predict, None


if __name__ == "__main__":
    import warnings

    warnings.simplefilter("ignore")
    main(train)
