"""lightning's AdaGradRegressor, float64, no intercept: the target is centred."""

import numpy as np
from common import main
from lightning.regression import AdaGradRegressor

RATE = 0.2


def train(X, y, passes):
    """Fit for so many epochs, shuffled."""
    model = AdaGradRegressor(
        eta=RATE, alpha=1 / len(y), n_iter=passes, random_state=0, shuffle=True
    )
    mean = float(y.mean())
    model.fit(X.astype(np.float64), y - mean)
    return (lambda X_test: model.predict(X_test.astype(float)) + mean), None


if __name__ == "__main__":
    main(train)
