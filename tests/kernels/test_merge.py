"""What threads have learned apart, brought together, against NumPy."""

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal

from sparse_adagrad.kernels import merge, scales


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("n_outputs", [1, 3])
def test_merged_copies(dtype, n_outputs):
    """Squares add up, moves as far as the copies have not learned the same."""
    rng = np.random.default_rng(0)
    n_hot, n_places = 4, 7
    outputs = np.zeros(n_outputs, scales.OUTPUT_DTYPE)
    outputs["eps"], outputs["l1"], outputs["l2"] = 1e-3, 0.05, 0.4
    pull = np.linspace(0.1, 1.0, n_outputs)

    def weights(pairs):
        u, s = pairs[:, 0].astype(float), pairs[:, 1].astype(float)
        size = np.maximum(np.abs(u) - outputs["l1"], 0)
        return -np.sign(u) * size / (s + outputs["eps"] + outputs["l2"])

    merged = rng.normal(size=(n_hot, 2, n_outputs)).astype(dtype)
    merged[:, 1] = np.abs(merged[:, 1])
    pairs = rng.normal(size=(n_places + 2 * n_hot, 2, n_outputs)).astype(dtype)
    at = [slice(0, n_hot), slice(n_places, n_places + n_hot), slice(-n_hot, None)]
    for copy in at:
        added = rng.random((n_hot, n_outputs)) + 0.1
        pairs[copy, 1] = np.sqrt(merged[:, 1] ** 2 + added)
    # One copy has not been touched, and one feature in none of them.
    pairs[at[1]] = merged
    pairs[[0, n_places, n_places + n_hot]] = merged[0]
    before, copies = merged.copy(), pairs.copy()
    added = [pairs[c, 1].astype(float) ** 2 - before[:, 1] ** 2.0 for c in at]
    moved = [weights(pairs[c]) - weights(before) for c in at]
    roots = [pairs[c, 1].astype(float) for c in at]
    # In two parts, as two threads do it.
    for first, last in ((0, 3), (3, n_hot)):
        merge.merge_copies(pairs, merged, first, last, n_places, outputs, pull)

    assert_array_equal(pairs, copies)
    assert_array_equal(merged[0], before[0])
    total = np.sum(added, axis=0)
    s = np.sqrt(before[:, 1] ** 2.0 + total)
    assert_allclose(merged[:, 1], s, rtol=1e-6)
    pulls = [
        2 * pull * a / (root + outputs["eps"] + outputs["l2"])
        for a, root in zip(added, roots, strict=True)
    ]
    together = np.sum(pulls, axis=0)
    apart = np.sum([k / (1 + k) for k in pulls], axis=0)
    apart[0] = 1.0
    # Two copies have moved, so that twice the mean is their sum.
    factor = np.minimum(together / (1 + together) / apart, 1.0)
    expected = weights(before) + np.sum(moved, axis=0) * factor
    assert_allclose(weights(merged), expected, rtol=1e-5, atol=1e-6)


def test_moves_that_are_small_add_up_and_large_ones_are_averaged():
    outputs = np.zeros(1, scales.OUTPUT_DTYPE)
    outputs["eps"] = 1e-3
    start = np.array([[[0.0], [1.0]]])

    def merged_weight(n_copies, pull):
        pairs = np.repeat(start, n_copies + 1, axis=0)
        pairs[[0, *range(2, n_copies + 1)]] = [[-0.5], [2.0]]
        merged = start.copy()
        merge.merge_copies(pairs, merged, 0, 1, 2, outputs, np.array([pull]))
        s = np.sqrt(1 + 3.0 * n_copies)
        assert_allclose(merged[0, 1], s)
        return -merged[0, 0, 0] / (s + 1e-3)

    one = 0.5 / (2 + 1e-3)
    assert_allclose(merged_weight(2, 0.0), 2 * one)
    assert_allclose(merged_weight(2, 1e-6), 2 * one, rtol=1e-5)
    assert_allclose(merged_weight(2, 1e9), one, rtol=1e-5)
    # Four copies' moves add up to twice their mean at most.
    assert_allclose(merged_weight(4, 1e-6), 2 * one)
    assert_allclose(merged_weight(4, 1e9), one, rtol=1e-5)


@pytest.mark.parametrize("n_threads", [1, 2, 4])
def test_merged_scalars(n_threads):
    """Sums add up, the intercept moves by the rule of the features."""
    rng = np.random.default_rng(0)
    n_outputs, batch_size = 2, 3
    totals = np.zeros(1, scales.TOTALS_DTYPE)
    outputs = np.zeros(n_outputs, scales.OUTPUT_DTYPE)
    totals["n_seen"], totals["weight_sum"] = 10, 7.0
    for name in ("intercept", "intercept_grad_sq_sum", "base", "l1", "l2", "eps"):
        outputs[name] = rng.random(n_outputs)
    own_totals = np.tile(totals, (n_threads, 1))
    own_outputs = np.tile(outputs, (n_threads, 1))
    own_totals["n_seen"] += rng.integers(50, 100, (n_threads, 1))
    own_outputs["eps"] = [0.5, 0.25]
    for name in ("l1", "l2", "intercept", "intercept_grad_sq_sum"):
        own_outputs[name] += rng.random((n_threads, n_outputs)) + 0.1
    # One output has been given nothing to learn.
    own_outputs["intercept"][:, 1] = outputs["intercept"][1]
    own_outputs["intercept_grad_sq_sum"][:, 1] = outputs["intercept_grad_sq_sum"][1]
    pace = rng.random((2, n_outputs))
    before = outputs.copy()
    pull = merge.merge_scalars(
        totals, outputs, own_totals, own_outputs, pace, batch_size
    )
    n_seen = (own_totals["n_seen"] - 10).sum()
    assert_allclose(totals["n_seen"], 10 + n_seen)
    assert_allclose(totals["weight_sum"], 7.0)
    assert_array_equal(outputs["base"], before["base"])
    assert_array_equal(outputs["eps"], [0.5, 0.25])
    for name in ("l1", "l2"):
        assert_allclose(outputs[name], own_outputs[name].mean(axis=0))
    roots = own_outputs["intercept_grad_sq_sum"][:, 0]
    added = roots - before["intercept_grad_sq_sum"][0]
    assert_allclose(
        outputs["intercept_grad_sq_sum"][0],
        before["intercept_grad_sq_sum"][0] + added.sum(),
    )
    assert_allclose(pull, [pace[0, 0] * n_seen / batch_size / added.sum(), 0])
    k = pace[1, 0] * n_seen / batch_size / added.sum() * added / np.sqrt(roots)
    factor = k.sum() / (1 + k.sum()) / (k / (1 + k)).sum()
    moved = (own_outputs["intercept"][:, 0] - before["intercept"][0]).sum()
    assert_allclose(outputs["intercept"][0], before["intercept"][0] + moved * factor)
    assert outputs["intercept"][1] == before["intercept"][1]
