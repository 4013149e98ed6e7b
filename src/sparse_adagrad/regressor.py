"""The estimator: parameters in, checked arrays down to the kernel, attributes out."""

from __future__ import annotations

import warnings
from collections.abc import Callable
from numbers import Integral, Real
from os import PathLike
from time import perf_counter
from typing import Any, ClassVar, Self

import numpy as np
from joblib import effective_n_jobs
from numpy.typing import ArrayLike, NDArray
from sklearn.base import BaseEstimator, RegressorMixin
from sklearn.callback import CallbackSupportMixin, with_callbacks
from sklearn.exceptions import ConvergenceWarning
from sklearn.utils import Tags, check_random_state
from sklearn.utils._param_validation import Interval, StrOptions
from sklearn.utils.validation import check_is_fitted

from sparse_adagrad._layout import (
    MANY_EPOCHS,
    MANY_FEATURES,
    LayoutToCome,
    deal_rows,
    useful_threads,
)
from sparse_adagrad._learner import Interrupted, Learner, Undo
from sparse_adagrad._measures import Measures
from sparse_adagrad._preparation import measure_scales, measures_for
from sparse_adagrad._problem import Problem, Rows, as_outputs
from sparse_adagrad._state import MAX_INFLATION, ModelState
from sparse_adagrad._training import Progress, Trainer, predict_raw
from sparse_adagrad._validation import (
    check_rows,
    check_rows_to_multiply,
    check_target,
    check_weights,
)
from sparse_adagrad.io import model_file
from sparse_adagrad.kernels import adagrad, losses

# A fit that ends above so many times the untrained loss deserves a word.
WORSE_THAN_UNTRAINED = 2.0


class SparseAdaGradRegressor(
    CallbackSupportMixin, RegressorMixin, BaseEstimator, Learner
):
    """Linear regression on sparse features by AdaGrad, one feature one rate.

    Learns from CSR rows and touches only the features that a row has, so that an
    update costs the row's non-zeros whatever the number of columns. The defaults need
    neither scaled features nor a scaled target.

    Parameters
    ----------
    loss : {"squared_error", "absolute_error", "huber", "epsilon_insensitive", \
            "squared_epsilon_insensitive", "quantile", "poisson"}, \
            default="squared_error"
        Squared error is halved, 0.5 (p - y)^2. "poisson" has a log link
        and is half the deviance.
    learning_rate : {"scaled", "constant"}, default="scaled"
        "scaled": the rate is `eta0` times std(y) / rms(|x|_2), and the intercept starts
        at mean(y). In `fit` these are the training data's, in `partial_fit` they run
        with the stream, sample by sample. "constant": the rate is `eta0`, the
        intercept starts from 0.
    eta0 : "auto" or float, default="auto"
        Base learning rate. "auto": 0.35 in `fit` and 0.2 in `partial_fit`, since a row
        that comes once should not move the weights as far.
    feature_scaling : {"auto", "max_abs"} or None, default="auto"
        "auto": a column whose largest absolute value exceeds twice the median of these,
        over all entries, is measured in units that bring it down to that. "max_abs":
        every column in units of its largest absolute value. With
        ``learning_rate="constant"``, "auto" means None.
    alpha : "auto" or float, default="auto"
        Strength of the penalty, per update. A number is used as `SGDRegressor` uses
        its own. "auto": in `fit` what `Ridge(alpha=1)` asks on rows of length 1 and
        weights of mean 1, whatever the units of X, y and the weights; in `partial_fit`
        0, since one pass over fresh data regularises itself. Columns are penalised in
        their scaled units.
    l1_ratio : float, default=0.0
        Share of the L1 penalty: 0 is ridge, 1 is lasso.
    eps : float, default=1e-7
        Added to the root of the summed squared gradients; where the learning rate is
        scaled, in the unit of the gradients.
    initial_accumulator_value : float, default=0.0
        What the sums of squared gradients start from.
    fit_intercept : bool, default=True
        Whether to learn an intercept. It is never penalised.
    epsilon : float, default=0.1
        Threshold of the huber and epsilon-insensitive losses, in units of y.
    quantile : float, default=0.5
        Quantile that the quantile loss estimates.
    decay : float, default=0.0
        Share of the past squared gradients, in [0, 1), that each sample lets fade, of
        every feature and exactly; with 0 none does, which is AdaGrad. On a stream that
        drifts, a small share keeps the rates from falling for ever. Not by several
        threads.
    batch_size : int, default=1
        Rows per update; the gradient is their mean.
    max_iter : int, default=10
        Largest number of epochs of `fit`.
    tol : float or None, default=1e-3
        `fit` stops after `n_iter_no_change` epochs whose loss is not below the best by
        this share of it. The loss is the validation loss with `early_stopping`, else
        the progressive loss of training. None: never.
    n_iter_no_change : int, default=5
        Epochs without progress before `fit` stops.
    shuffle : bool, default=True
        Whether `fit` visits the rows in a new order each epoch: at random, in runs of
        eight neighbours, since memory streams along these; one by one where neighbours
        have targets alike. `partial_fit` never changes the order.
    random_state : int, RandomState instance or None, default=None
        Seeds the order and the validation split.
    early_stopping : bool, default=False
        Whether `fit` watches a validation set, stops by it, and returns to the epoch
        that was best on it.
    validation_fraction : float, default=0.1
        Share of the rows held out where `early_stopping` is given no `X_val`.
    warm_start : bool, default=False
        Whether `fit` goes on from the model there is. The scales of the target and of
        the rows stay those it was first fitted with.
    allow_growth : bool, default=False
        Whether `partial_fit` accepts more columns than before, and both it and
        `predict` fewer.
    n_jobs : int or None, default=None
        Threads of `fit` and `predict`; -1 for all cores. Threads of `fit` learn into
        one model without locks, so that two fits differ by a little; None or 1 is
        deterministic. Fewer than some two million non-zeros a thread are left to fewer
        threads, as are fewer than three epochs of two; `partial_fit` runs on one.
    dtype : {"float32", "float64"}, default="float32"
        Type of the state: 8 or 16 bytes a column and output.
    verbose : int, default=0
        Whether `fit` prints a line an epoch.

    Attributes
    ----------
    coef_ : ndarray of shape (n_features,) or (n_outputs, n_features)
        Weights in the units of X, computed when asked for.
    intercept_ : ndarray of shape (n_outputs,), float64
        Intercepts.
    grad_sq_sum_ : ndarray of the shape of `coef_`
        Sums of squared gradients, G, in the scaled units of the columns.
    n_features_in_ : int
        Number of columns.
    feature_names_in_ : ndarray of shape (n_features,)
        Names of the columns, where X has string names.
    n_iter_ : int
        Epochs run by `fit`; 1 after `partial_fit`.
    t_ : int
        Samples learned from, epochs times rows; those of weight 0 do not count.
    loss_curve_ : list of float
        Mean progressive loss (predict, then learn) per epoch or `partial_fit` call.
    validation_loss_curve_ : list of float
        Mean validation loss per epoch, where there is a validation set.

    See Also
    --------
    sklearn.linear_model.SGDRegressor : One rate for all features.
    sklearn.linear_model.Ridge : Batch solver of the squared loss.

    Notes
    -----
    With g the derivative of a sample's loss by a weight,

        G <- G + g^2,   w <- w - eta g / (sqrt(G) + eps)    (Duchi et al., section 1.1)

    The penalty is applied lazily and exactly by keeping a dual weight (McMahan 2011).

    References
    ----------
    J. Duchi, E. Hazan, Y. Singer. Adaptive Subgradient Methods for Online Learning
    and Stochastic Optimization. JMLR 12 (2011). https://jmlr.org/papers/v12/duchi11a.html

    H. B. McMahan. Follow-the-Regularized-Leader and Mirror Descent: Equivalence
    Theorems and L1 Regularization. AISTATS 2011.
    https://proceedings.mlr.press/v15/mcmahan11b.html

    Examples
    --------
    >>> from sklearn.feature_extraction.text import TfidfVectorizer
    >>> from sklearn.pipeline import make_pipeline
    >>> from sparse_adagrad import SparseAdaGradRegressor
    >>> texts = ["good film", "bad film", "very good", "very bad"]
    >>> model = make_pipeline(TfidfVectorizer(), SparseAdaGradRegressor(random_state=0))
    >>> model.fit(texts, [9.0, 2.0, 10.0, 1.0]).predict(["good", "bad"]).round(1)
    array([8.9, 2.1])
    """

    _parameter_constraints: ClassVar[dict[str, list[Any]]] = {
        "loss": [StrOptions(set(losses.LOSSES))],
        "learning_rate": [StrOptions({"scaled", "constant"})],
        "eta0": [StrOptions({"auto"}), Interval(Real, 0, None, closed="neither")],
        "feature_scaling": [StrOptions({"auto", "max_abs"}), None],
        "alpha": [StrOptions({"auto"}), Interval(Real, 0, None, closed="left")],
        "l1_ratio": [Interval(Real, 0, 1, closed="both")],
        "eps": [Interval(Real, 0, None, closed="neither")],
        "initial_accumulator_value": [Interval(Real, 0, None, closed="left")],
        "fit_intercept": ["boolean"],
        "epsilon": [Interval(Real, 0, None, closed="left")],
        "quantile": [Interval(Real, 0, 1, closed="neither")],
        "decay": [Interval(Real, 0, 1, closed="left")],
        "batch_size": [Interval(Integral, 1, 2**31 - 1, closed="both")],
        "max_iter": [Interval(Integral, 1, None, closed="left")],
        "tol": [Interval(Real, 0, None, closed="left"), None],
        "n_iter_no_change": [Interval(Integral, 1, None, closed="left")],
        "shuffle": ["boolean"],
        "random_state": ["random_state"],
        "early_stopping": ["boolean"],
        "validation_fraction": [Interval(Real, 0, 1, closed="neither")],
        "warm_start": ["boolean"],
        "allow_growth": ["boolean"],
        "n_jobs": [
            Interval(Integral, 1, None, closed="left"),
            Interval(Integral, None, -1, closed="right"),
            None,
        ],
        "dtype": [StrOptions({"float32", "float64"})],
        "verbose": ["verbose"],
    }

    # ------------------------------------------------------------------ learning

    @with_callbacks
    def fit(
        self,
        X: Any,
        y: ArrayLike,
        sample_weight: ArrayLike | None = None,
        X_val: Any = None,
        y_val: ArrayLike | None = None,
    ) -> Self:
        """Fit the model to the data, from scratch unless `warm_start`.

        Parameters
        ----------
        X : {sparse matrix, sparse array, array-like, DataFrame}
            Shape (n_samples, n_features), float32 or float64. CSR is used in place.
        y : array-like of shape (n_samples,) or (n_samples, n_outputs)
            Targets.
        sample_weight : array-like of shape (n_samples,) or float, default=None
            Factor of each sample's loss. A sample of weight 0 does not count at all.
        X_val : like X, default=None
            Data on which the loss is measured after each epoch.
        y_val : like y, default=None
            Its targets.

        Returns
        -------
        self : SparseAdaGradRegressor

        Raises
        ------
        ValueError
            If a parameter or the data is invalid, or the fit overflows. The model is
            then what it was before.
        KeyboardInterrupt
            If interrupted; the model has then learned from the rows so far.

        Warns
        -----
        ConvergenceWarning
            If the last epoch's loss is well above that of an untrained model.
        """

        def learn(_: Undo) -> None:
            self._check_parameters()
            before = self._state if self.warm_start else None
            measures = measures_for(before, self._scaling())
            problem = self._check_fit_data(X, y, sample_weight, X_val, y_val, measures)
            if before is None:
                state = self._allocate(problem)
                self.loss_curve_: list[float] = []
                self._drop_validation_curve()
            else:
                self._check_continues(before, problem)
                state = before.copy()
            # A column's unit is divided out once, not in every epoch.
            settings = self._settings(running=False)
            problem = measure_scales(state, problem, settings, measures)
            self._run_epochs(state, problem, X, y, sample_weight)

        self._all_or_nothing(learn)
        return self

    def partial_fit(
        self, X: Any, y: ArrayLike, sample_weight: ArrayLike | None = None
    ) -> Self:
        """Learn from one more batch of a stream, rows in their order.

        Costs O(nnz), whatever the number of columns. With ``batch_size=1``, cutting
        the same rows into other batches gives the same model, bit for bit.

        Parameters
        ----------
        X : {sparse matrix, sparse array, array-like, DataFrame}
            Shape (n_samples, n_features), float32 or float64. CSR is used in place.
        y : array-like of shape (n_samples,) or (n_samples, n_outputs)
            Targets.
        sample_weight : array-like of shape (n_samples,) or float, default=None
            Factor of each sample's loss. A sample of weight 0 does not count at all.

        Returns
        -------
        self : SparseAdaGradRegressor

        Raises
        ------
        ValueError
            If a parameter or the data is invalid, or training diverges. The model is
            then what it was before, as it is when interrupted.
        """
        return self._partial_fit(X, y, sample_weight)

    def _partial_fit(
        self,
        X: Any,
        y: Any,
        sample_weight: Any = None,
        *,
        then: Callable[[], None] | None = None,
    ) -> Self:
        """The same, also if what is to be done `then` fails."""

        def learn(undo: Undo) -> None:
            self._check_parameters()
            rows = self._check_X(
                X,
                reset=self._state is None,
                width="any" if self.allow_growth else "equal",
            )
            target = self._check_y(y, rows.n_samples)
            weights = check_weights(self, sample_weight, rows.n_samples)
            problem = Problem.of(rows, target, weights)
            self._learn(problem, target.ndim, undo, then)

        self._all_or_nothing(learn)
        return self

    def _run_epochs(
        self, state: ModelState, problem: Problem, X: Any, y: Any, sample_weight: Any
    ) -> None:
        """Train epoch by epoch, until told to stop; keeps what an interrupt leaves."""
        settings = self._settings(running=False)
        rng = check_random_state(self.random_state)
        alpha, measure = self._fit_alpha(state, problem, settings)
        trainer = Trainer(
            state,
            problem,
            settings,
            self._split_penalty(alpha),
            linear_loss=self.loss in losses.LINEAR,
            layout=self._layout_to_come(state, problem, rng),
        )

        context = self._init_callback_context(max_subtasks=self.max_iter)
        metadata = {} if sample_weight is None else {"sample_weight": sample_weight}
        given = {"estimator": self, "X": X, "y": y, "metadata": metadata}
        context.call_on_fit_task_begin(**given)
        # From here on an interrupt keeps the rows learned from.
        self._state = state
        self.n_iter_ = 0
        try:
            try:
                best, means = self._learn_epochs(trainer, measure, rng, context, given)
            finally:
                trainer.end()
        except KeyboardInterrupt as interrupt:
            if trainer.ended:
                raise Interrupted from interrupt
            raise
        if best is not None:
            self._state = best
        self._state.outputs["baseline_loss_sum"] = (
            means[:, 1] * state.totals["weight_sum"]
        )
        context.call_on_fit_task_end(**given, reconstruction_attributes={})
        for loss, baseline in means:
            if loss > WORSE_THAN_UNTRAINED * baseline > 0:
                warnings.warn(
                    f"The fit diverged or did not learn: the last epoch's mean loss is "
                    f"{loss:.3g}, an untrained model's {baseline:.3g}. Lower eta0 "
                    f"(now {self._base_rate(running=False)}) or scale the features.",
                    ConvergenceWarning,
                    stacklevel=6,
                )

    def _learn_epochs(
        self,
        trainer: Trainer,
        measure: bool,
        rng: np.random.RandomState,
        context: Any,
        given: dict[str, Any],
    ) -> tuple[ModelState | None, NDArray[np.float64]]:
        """The best state, if it is to be kept, and the last epoch's mean losses.

        `measure`: whether the first epoch measures the penalty's strength. `context`
        and what is `given` are for callbacks.
        """
        # By column: laid out later, if it is.
        state, problem = trainer.state, trainer.problem
        progress = Progress(self.tol, self.n_iter_no_change)
        best: ModelState | None = None
        for epoch in range(self.max_iter):
            task = context.subcontext(task_name=f"epoch {epoch}")
            task.call_on_fit_task_begin(**given)
            start = perf_counter()
            order = trainer.order(rng if self.shuffle else None)
            sums = trainer.run_measuring(order) if measure else trainer.run(order)
            measure = False
            means = sums / problem.weight_sum
            self.loss_curve_.append(float(means[:, 0].mean()))
            self.n_iter_ = epoch + 1
            watched = self.loss_curve_[-1]
            if problem.validation is not None or "_skl_callbacks" in vars(self):
                # Callbacks may look at the estimator.
                trainer.publish()
            if problem.validation is not None:
                watched = self._validation_loss(state, *problem.validation)
                self.validation_loss_curve_.append(watched)
            if self.verbose:
                print(self._epoch_line(epoch, perf_counter() - start, problem))
            stop = task.call_on_fit_task_end(
                **given, reconstruction_attributes=lambda: {"_state": state.copy()}
            )
            improved = progress.update(
                watched if self.early_stopping else self.loss_curve_[-1]
            )
            if self.early_stopping and improved:
                best = state.copy()
            if stop or progress.stalled:
                break
        return best, means

    def _layout_to_come(
        self, state: ModelState, problem: Problem, rng: np.random.RandomState
    ) -> LayoutToCome | None:
        """A layout for several threads or many features, or None: as they are."""
        if state.fades:
            return None
        n_threads = useful_threads(
            problem,
            state.n_outputs,
            self.batch_size,
            self.max_iter,
            effective_n_jobs(self.n_jobs),
        )
        many = state.n_features >= MANY_FEATURES and self.max_iter >= MANY_EPOCHS
        if n_threads == 1 and not many:
            return None
        parts = deal_rows(problem, n_threads, rng if self.shuffle else None)
        return LayoutToCome(problem, parts)

    def _fit_alpha(
        self, state: ModelState, problem: Problem, settings: adagrad.Settings
    ) -> tuple[NDArray[np.float64], bool]:
        """Penalty of one update, (n_outputs,); whether its strength is yet unknown."""
        if self.alpha != "auto":
            return np.full(state.n_outputs, float(self.alpha)), False
        ridge = adagrad.ridge_alpha(settings, state.totals, state.outputs)
        known = state.outputs["strength"]
        unknown = bool((known == 0).any())
        strength = np.ones_like(known) if unknown else known
        # Of the weights, only how they differ: with them, gradients shrink as well.
        ridge = problem.mean_weight * ridge / problem.n_visited
        return ridge * strength, unknown

    def _validation_loss(
        self, state: ModelState, rows: Rows, y: NDArray[np.float64], weights: Any
    ) -> float:
        raw = predict_raw(state, rows, effective_n_jobs(self.n_jobs))
        parameter = self._loss_parameter()
        each = [
            losses.loss(
                self.loss,
                np.ascontiguousarray(y[:, o]),
                np.ascontiguousarray(raw[:, o]),
                parameter,
            )
            for o in range(y.shape[1])
        ]
        return float(
            np.average(np.mean(each, axis=0), weights=weights if len(weights) else None)
        )

    def _epoch_line(self, epoch: int, seconds: float, problem: Problem) -> str:
        line = f"-- epoch {epoch + 1}: progressive loss {self.loss_curve_[-1]:.6g}"
        if problem.validation is not None:
            line += f", validation loss {self.validation_loss_curve_[-1]:.6g}"
        return f"{line}, {problem.n_visited / seconds:,.0f} rows/s"

    # ---------------------------------------------------------------- predicting

    def predict(self, X: Any) -> NDArray[np.float64]:
        """Predict the target of each row.

        Parameters
        ----------
        X : {sparse matrix, sparse array, array-like, DataFrame}
            Shape (n_samples, n_features).

        Returns
        -------
        y_pred : ndarray of shape (n_samples,) or (n_samples, n_outputs), float64
            Predictions on the target's scale.

        Raises
        ------
        NotFittedError
            If the model has seen no data.
        ValueError
            If X is invalid or has another number of columns.
        """
        check_is_fitted(self)
        state = self._fitted_state("predictions")
        rows, check = check_rows_to_multiply(
            self,
            X,
            state_dtype=state.pairs.dtype,
            width="narrower" if self.allow_growth else "equal",
        )
        raw = predict_raw(state, rows, effective_n_jobs(self.n_jobs), check)
        return self._on_target_scale(raw)

    def __sklearn_is_fitted__(self) -> bool:
        return self._state is not None

    def __sklearn_tags__(self) -> Tags:
        tags = super().__sklearn_tags__()
        tags.input_tags.sparse = True
        tags.target_tags.multi_output = True
        tags.target_tags.positive_only = self.loss == "poisson"
        return tags

    # --------------------------------------------------------------------- files

    def save(self, path: str | PathLike[str]) -> None:
        """Write the model, all of its state and parameters, to a safetensors file.

        Training that goes on from the loaded file equals training that was never
        interrupted, bit for bit. The file is written whole or not at all.

        Parameters
        ----------
        path : str or path-like
            Where to; an existing file is replaced.

        Raises
        ------
        NotFittedError
            If the model has seen no data.
        OSError
            If the file cannot be written.
        """
        check_is_fitted(self)
        model_file.write(path, *model_file.pack(self))

    @classmethod
    def load(cls, path: str | PathLike[str]) -> Self:
        """Read a model that `save` has written.

        Parameters
        ----------
        path : str or path-like
            The file.

        Returns
        -------
        model : SparseAdaGradRegressor

        Raises
        ------
        ValueError
            If the file is cut off, of another kind, or of a newer version.
        OSError
            If it cannot be read.
        """
        model: Self = model_file.unpack(cls, *model_file.read(path), path)
        return model

    # -------------------------------------------------------------------- checks

    def _check_parameters(self) -> None:
        """Check the parameters, where they are not those checked last."""
        parameters = tuple(map(self.__dict__.get, self._parameter_constraints))
        if parameters != self.__dict__.get("_checked_parameters"):
            self._validate_params()
            if -np.log2(1 - self.decay) * self.batch_size > 2 * MAX_INFLATION:
                raise ValueError(
                    f"With decay={self.decay} and batch_size={self.batch_size} nothing "
                    "of the past outlasts one batch; lower either."
                )
            self._checked_parameters = parameters

    def _check_X(self, X: Any, *, reset: bool, **how: Any) -> Rows:
        return check_rows(self, X, reset=reset, state_dtype=np.dtype(self.dtype), **how)

    def _check_y(self, y: Any, n_samples: int, name: str = "y") -> NDArray[np.float64]:
        return check_target(
            self, y, n_samples, non_negative=self.loss == "poisson", name=name
        )

    def _check_fit_data(
        self,
        X: Any,
        y: Any,
        sample_weight: Any,
        X_val: Any,
        y_val: Any,
        measures: Measures,
    ) -> Problem:
        continues = self.warm_start and self._state is not None
        # Where rows may be left out, they are measured once it is known which.
        all_rows = sample_weight is None and not self.early_stopping
        rows = self._check_X(
            X, reset=not continues, measures=measures if all_rows else None
        )
        target = self._check_y(y, rows.n_samples)
        weights = check_weights(self, sample_weight, rows.n_samples)
        problem = Problem.of(rows, target, weights)
        if not continues:
            self._target_ndim = target.ndim
        if problem.weight_sum == 0:
            raise ValueError(
                "All sample weights are zero; at least one must be above zero to fit."
            )
        if (X_val is None) != (y_val is None):
            given, missing = ("X_val", "y_val") if y_val is None else ("y_val", "X_val")
            raise ValueError(f"{given} is given but not {missing}; pass both or none.")
        if X_val is not None:
            rows_val = self._check_X(X_val, reset=False)
            target_val = as_outputs(self._check_y(y_val, rows_val.n_samples, "y_val"))
            if target_val.shape[1] != problem.y.shape[1]:
                raise ValueError(
                    f"y_val has {target_val.shape[1]} outputs but y "
                    f"{problem.y.shape[1]}."
                )
            problem.validation = (rows_val, target_val, np.empty(0))
        elif self.early_stopping:
            problem.hold_out(
                self.validation_fraction, check_random_state(self.random_state)
            )
        if not all_rows:
            visited, weights = problem.rows_to_visit, problem.visited_weights()
            measures.read(rows, visited=visited, weights=weights)
        if problem.validation is not None and "validation_loss_curve_" not in vars(
            self
        ):
            self.validation_loss_curve_: list[float] = []
        return problem

    def _drop_validation_curve(self) -> None:
        if "validation_loss_curve_" in vars(self):
            self.validation_loss_curve_ = []
