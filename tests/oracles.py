"""Slow, obvious, float64: what the kernel must agree with.

Everything is dense and eager. The penalised step is written as McMahan (2011) states
FTRL-Proximal, as the minimum of a sum over all past updates, not in the kernel's form.
"""

from __future__ import annotations

import numpy as np


def loss_of(name, y, p, parameter=0.0):
    """Loss of one sample as the textbooks have it."""
    r = p - y
    return {
        "squared_error": lambda: 0.5 * r**2,
        "absolute_error": lambda: abs(r),
        "huber": lambda: (
            0.5 * r**2
            if abs(r) <= parameter
            else parameter * abs(r) - 0.5 * parameter**2
        ),
        "epsilon_insensitive": lambda: max(0.0, abs(r) - parameter),
        "squared_epsilon_insensitive": lambda: max(0.0, abs(r) - parameter) ** 2,
        "quantile": lambda: max(parameter * -r, (1 - parameter) * r),
        "poisson": lambda: np.exp(p) - y * p - (y - y * np.log(y) if y else 0),
    }[name]()


def dloss_of(name, y, p, parameter=0.0):
    """Its derivative by p; 0 at a kink where p hits y."""
    r = p - y
    outside = np.sign(r) * max(0.0, abs(r) - parameter)
    return {
        "squared_error": lambda: r,
        "absolute_error": lambda: np.sign(r),
        "huber": lambda: np.clip(r, -parameter, parameter),
        "epsilon_insensitive": lambda: np.sign(outside),
        "squared_epsilon_insensitive": lambda: 2 * outside,
        "quantile": lambda: 0.0 if r == 0 else (1 - parameter if r > 0 else -parameter),
        "poisson": lambda: np.exp(p) - y,
    }[name]()


class DenseAdaGrad:
    """AdaGrad with fixed rates, all features at every update.

    Parameters
    ----------
    eta, eps : float
        Rate and stabiliser of the weights.
    intercept_eta, intercept_eps : float
        The same of the intercept.
    l1, l2 : float
        Penalty of one update.
    decay : float
        Share of the squared gradients that a sample lets fade; without penalty.
    """

    def __init__(
        self,
        n_features,
        *,
        loss="squared_error",
        parameter=0.0,
        eta,
        eps,
        intercept_eta=None,
        intercept_eps=None,
        l1=0.0,
        l2=0.0,
        initial=0.0,
        fit_intercept=True,
        base=0.0,
        batch_size=1,
        decay=0.0,
    ):
        self.decay = decay
        self.loss, self.parameter = loss, parameter
        self.eta, self.eps, self.l1, self.l2 = eta, eps, l1, l2
        self.intercept_eta = eta if intercept_eta is None else intercept_eta
        self.intercept_eps = eps if intercept_eps is None else intercept_eps
        self.fit_intercept, self.base, self.batch_size = fit_intercept, base, batch_size
        self.G = np.full(n_features, float(initial))
        self.z = np.zeros(n_features)  # sum of gradients less sum of sigma w
        self.w = np.zeros(n_features)
        self.n_updates = 0
        self.b, self.b_G = 0.0, float(initial)

    def raw(self, x):
        return self.base + self.b + x @ self.w

    def run(self, X, y, weight=None):
        """Visit the rows in their order; return the mean progressive loss."""
        weight = np.ones(len(y)) if weight is None else np.asarray(weight, float)
        keep = weight > 0
        X, y, weight = X[keep], y[keep], weight[keep]
        total = 0.0
        for start in range(0, len(y), self.batch_size):
            stop = min(start + self.batch_size, len(y))
            g, g_b = np.zeros(X.shape[1]), 0.0
            for i in range(start, stop):
                p = self.raw(X[i])
                total += weight[i] * loss_of(self.loss, y[i], p, self.parameter)
                d = weight[i] * dloss_of(self.loss, y[i], p, self.parameter)
                g += d * X[i] / (stop - start)
                g_b += d / (stop - start)
            self.fade(stop - start)
            self.update(g, g_b)
        return total / weight.sum()

    def fade(self, n_samples):
        self.G *= (1 - self.decay) ** n_samples
        self.b_G *= (1 - self.decay) ** n_samples

    def update(self, g, g_b):
        old = np.sqrt(self.G)
        self.G = self.G + g**2
        sigma = (np.sqrt(self.G) - old) / self.eta
        self.z += g - sigma * self.w
        self.n_updates += 1
        l1, l2 = self.n_updates * self.l1, self.n_updates * self.l2
        # argmin of z w + l1 |w| + w^2 ((s + eps) / eta + l2) / 2, feature by feature
        shrunk = np.sign(self.z) * np.maximum(np.abs(self.z) - l1, 0)
        self.w = -shrunk / ((np.sqrt(self.G) + self.eps) / self.eta + l2)
        if self.fit_intercept:
            self.b_G += g_b**2
            self.b -= (
                self.intercept_eta * g_b / (np.sqrt(self.b_G) + self.intercept_eps)
            )


class PlainAdaGrad(DenseAdaGrad):
    """The same without a penalty, as Duchi, Hazan and Singer write it."""

    def update(self, g, g_b):
        self.G = self.G + g**2
        self.w = self.w - self.eta * g / (np.sqrt(self.G) + self.eps)
        if self.fit_intercept:
            self.b_G += g_b**2
            self.b -= (
                self.intercept_eta * g_b / (np.sqrt(self.b_G) + self.intercept_eps)
            )


def column_units(X, mode):
    """Units of the columns of a whole data set."""
    largest = np.abs(X).max(axis=0)
    if mode is None:
        return np.ones(X.shape[1])
    if mode == "max_abs":
        return np.where(largest > 0, largest, 1.0)
    entries = np.sort(np.concatenate([largest[np.flatnonzero(row)] for row in X]))
    limit = 2 * entries[(len(entries) - 1) // 2]
    return np.maximum(largest / limit, 1.0)


UNITS = {  # of the raw prediction and of the gradient, by mean, spread and parameter
    "squared_error": lambda m, s, e: (s, s),
    "absolute_error": lambda m, s, e: (s, 1.0),
    "huber": lambda m, s, e: (s, min(s, e)),
    "epsilon_insensitive": lambda m, s, e: (s, 1.0),
    "squared_epsilon_insensitive": lambda m, s, e: (s, 2 * s),
    "quantile": lambda m, s, e: (s, 1.0),
    "poisson": lambda m, s, e: (1.0, m),
}


def scaled_fit(
    X,
    y,
    orders,
    *,
    weight=None,
    loss="squared_error",
    parameter=0.0,
    eta0=0.35,
    eps=1e-7,
    feature_scaling="auto",
    alpha="auto",
    l1_ratio=0.0,
    fit_intercept=True,
    batch_size=1,
):
    """What `fit` does: measure all scales, then visit the rows in the given orders.

    Returns weights in the user's units, the intercept and the loss of each epoch.
    """
    weight = np.ones(len(y)) if weight is None else np.asarray(weight, float)
    seen = weight > 0
    unit = column_units(X[seen], feature_scaling)
    X = X / unit
    mean = np.average(y, weights=weight)
    about = mean if fit_intercept else 0.0
    spread = np.sqrt(np.average((y - about) ** 2, weights=weight))
    length = np.sqrt(np.average((X**2).sum(axis=1), weights=weight))
    raw_unit, gradient_unit = UNITS[loss](mean, spread, parameter)
    n = seen.sum()
    ridge = length**2 * gradient_unit / raw_unit / n * weight[seen].mean()
    strength = ridge if alpha == "auto" else alpha
    model = DenseAdaGrad(
        X.shape[1],
        loss=loss,
        parameter=parameter,
        eta=eta0 * raw_unit / length,
        eps=eps * gradient_unit * length,
        intercept_eta=eta0 * raw_unit,
        intercept_eps=eps * gradient_unit,
        l1=strength * l1_ratio,
        l2=strength * (1 - l1_ratio),
        fit_intercept=fit_intercept,
        base=(np.log(mean) if loss == "poisson" else mean) if fit_intercept else 0.0,
        batch_size=batch_size,
    )
    curve = []
    for epoch, order in enumerate(orders):
        if epoch == 0 and alpha == "auto":
            curve.append(_first_epoch(model, X, y, weight, order, batch_size, loss))
        else:
            curve.append(model.run(X[order], y[order], weight[order]))
    return model.w / unit, model.base + model.b, curve


def _first_epoch(model, X, y, weight, order, batch_size, loss):
    half = len(order) // 2
    half -= half % batch_size
    parts = order[:half], order[half:]
    means = [model.run(X[part], y[part], weight[part]) for part in parts if len(part)]
    sums = [
        m * weight[part].sum()
        for m, part in zip(means, [p for p in parts if len(p)], strict=True)
    ]
    if half:
        late = parts[1]
        untrained = np.average(
            [loss_of(loss, t, model.base, model.parameter) for t in y[late]],
            weights=weight[late],
        )
        ratio = means[1] / untrained
        linear = loss in ("absolute_error", "huber", "epsilon_insensitive", "quantile")
        noise = np.clip(ratio**2 if linear else ratio, 0.01, 0.99)
        factor = (noise / (1 - noise)) ** (2 / 3 * len(order) / (len(order) + 500))
        model.l1, model.l2 = factor * model.l1, factor * model.l2
        model.w = _reread(model)
    return sum(sums) / weight[order].sum()


def _reread(model):
    l1, l2 = model.n_updates * model.l1, model.n_updates * model.l2
    shrunk = np.sign(model.z) * np.maximum(np.abs(model.z) - l1, 0)
    return -shrunk / ((np.sqrt(model.G) + model.eps) / model.eta + l2)


class ScaledStream:
    """What `partial_fit` does: all scales run with the stream, one row at a time.

    Means and spreads are taken afresh over all rows so far; only the median of the
    column maxima follows the kernel's histogram, which is part of the definition.
    """

    def __init__(self, n_features, *, eta0=0.2, eps=1e-7, feature_scaling="auto"):
        self.eta0, self.eps, self.mode = eta0, eps, feature_scaling
        self.u, self.s = np.zeros(n_features), np.zeros(n_features)
        self.largest = np.zeros(n_features)
        self.b = self.b_G = 0.0
        self.ys, self.lengths_sq = [], []
        self.bins, self.reference, self.limit = {}, 0.0, 0.0
        self.length_eps = np.finfo(float).tiny

    def unit(self):
        if self.mode == "max_abs":
            return np.where(self.largest > 0, self.largest, 1.0)
        if self.mode == "auto" and self.limit:
            return np.maximum(self.largest / self.limit, 1.0)
        return np.ones_like(self.largest)

    def measure_columns(self, x, t):
        self.largest = np.maximum(self.largest, np.abs(x))
        times = 1 if t < 256 or t % 16 == 0 else 0
        if t >= 4096:
            times = 4 if t % 64 == 0 else 0
        if times and x.any():
            most = self.largest[x != 0].max()
            if not self.reference or most / self.reference >= 2.0**64:
                self.bins, self.reference = {}, most
            for j in np.flatnonzero(x):
                b = int(np.floor(8 * np.log2(self.largest[j] / self.reference)))
                self.bins[b] = self.bins.get(b, 0) + times
            if self.bins:
                entries = np.repeat(list(self.bins), list(self.bins.values()))
                middle = np.sort(entries)[(len(entries) - 1) // 2]
                self.limit = 2 * self.reference * 2 ** ((middle + 0.5) / 8)

    def learn(self, x, y):
        self.measure_columns(x, len(self.ys))
        x = x / self.unit()
        w = -self.u / (self.s + self.length_eps)
        base = np.mean(self.ys) if self.ys else y
        p = base + self.b + w @ x
        self.ys.append(y)
        self.lengths_sq.append(x @ x)
        spread, length = np.std(self.ys), np.sqrt(np.mean(self.lengths_sq))
        d = p - y
        eta = self.eta0 * spread / length if length else 0.0
        g = d * x
        s = np.sqrt(self.s**2 + g**2)
        self.u = self.u + eta * g - (s - self.s) * w
        self.s = s
        b_eps = self.eps * spread if spread else self.eps
        self.length_eps = b_eps * length if length else self.eps
        self.b_G += d * d
        self.b -= self.eta0 * spread * d / (np.sqrt(self.b_G) + b_eps)
        return 0.5 * d * d

    def coef(self):
        return -self.u / (self.s + self.length_eps) / self.unit()

    def intercept(self):
        return np.mean(self.ys) + self.b
