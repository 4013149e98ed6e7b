"""lightning's AdaGradRegressor, shuffled; float64, which is all it takes.

It has no intercept, so the target is centred; the rate is what our default comes to.
"""

import numpy as np
from common import main
from lightning.regression import AdaGradRegressor

RATE = 0.35


def train(X, y, passes):
    """Fit for so many epochs, shuffled."""
    model = AdaGradRegressor(
        eta=RATE * y.std(), alpha=1 / len(y), n_iter=passes, random_state=0
    )
    mean = float(y.mean())
    model.fit(X.astype(np.float64), y - mean)
    return (lambda X_test: model.predict(X_test.astype(float)) + mean), None


if __name__ == "__main__":
    main(train)
