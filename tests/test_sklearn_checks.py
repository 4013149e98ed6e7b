"""scikit-learn's own checks of an estimator."""

from sklearn.utils.estimator_checks import parametrize_with_checks

from sparse_adagrad import SparseAdaGradRegressor

# A sample of weight 2 takes one step of twice the gradient; the same sample twice takes
# two steps. No stochastic learner makes these the same.
EXPECTED_FAILURES = {
    check: "a weight scales one step, it does not repeat it"
    for check in (
        "check_sample_weight_equivalence_on_dense_data",
        "check_sample_weight_equivalence_on_sparse_data",
    )
}


@parametrize_with_checks(
    [SparseAdaGradRegressor(), SparseAdaGradRegressor(batch_size=5, dtype="float64")],
    expected_failed_checks=lambda estimator: EXPECTED_FAILURES,
)
def test_scikit_learn_compatible(estimator, check):
    check(estimator)
