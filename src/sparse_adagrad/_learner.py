"""The model that learns: parameters, state, and rows that need no checking.

`SparseAdaGradRegressor` is this with scikit-learn's manners and checks. The command
uses it as it is, since loading scikit-learn takes longer than many a file.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable, Iterable
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray

from sparse_adagrad._problem import Problem, Rows
from sparse_adagrad._state import ModelState
from sparse_adagrad._training import Trainer, predict_raw
from sparse_adagrad.kernels import adagrad, losses, scales

# A batch whose typical error is this many times an untrained model's has diverged.
DIVERGED = 1e3
# The automatic base rate. Where rows come once, more than 0.2 costs accuracy on most
# of eight real streams. Several passes with a penalty bear more: ten at 0.35 end where
# twenty at 0.2 do, within 0.1 % on average over 14 tasks.
STREAM_RATE = 0.2
FIT_RATE = 0.35
# Functions that take back what was changed, the estimator's attributes aside.
Undo = list[Callable[[], None]]
CURVES = ("loss_curve_", "validation_loss_curve_")


class Interrupted(BaseException):
    """An interrupt in `fit` after which the model is kept."""


class Learner:
    """AdaGrad on rows under the kernel contract; the parameters are the estimator's."""

    # Of a model that has seen no data.
    _state: ModelState | None = None
    n_features_in_: int
    n_iter_: int
    loss_curve_: list[float]
    _target_ndim: int

    def __init__(
        self,
        loss: str = "squared_error",
        *,
        learning_rate: str = "scaled",
        eta0: float | str = "auto",
        feature_scaling: str | None = "auto",
        alpha: float | str = "auto",
        l1_ratio: float = 0.0,
        eps: float = 1e-7,
        initial_accumulator_value: float = 0.0,
        fit_intercept: bool = True,
        epsilon: float = 0.1,
        quantile: float = 0.5,
        decay: float = 0.0,
        batch_size: int = 1,
        max_iter: int = 10,
        tol: float | None = 1e-3,
        n_iter_no_change: int = 5,
        shuffle: bool = True,
        random_state: int | np.random.RandomState | None = None,
        early_stopping: bool = False,
        validation_fraction: float = 0.1,
        warm_start: bool = False,
        allow_growth: bool = False,
        n_jobs: int | None = None,
        dtype: str = "float32",
        verbose: int = 0,
    ) -> None:
        self.loss = loss
        self.learning_rate = learning_rate
        self.eta0 = eta0
        self.feature_scaling = feature_scaling
        self.alpha = alpha
        self.l1_ratio = l1_ratio
        self.eps = eps
        self.initial_accumulator_value = initial_accumulator_value
        self.fit_intercept = fit_intercept
        self.epsilon = epsilon
        self.quantile = quantile
        self.decay = decay
        self.batch_size = batch_size
        self.max_iter = max_iter
        self.tol = tol
        self.n_iter_no_change = n_iter_no_change
        self.shuffle = shuffle
        self.random_state = random_state
        self.early_stopping = early_stopping
        self.validation_fraction = validation_fraction
        self.warm_start = warm_start
        self.allow_growth = allow_growth
        self.n_jobs = n_jobs
        self.dtype = dtype
        self.verbose = verbose

    @classmethod
    def parameter_names(cls) -> list[str]:
        """Names of the parameters, in their order."""
        return list(inspect.signature(Learner).parameters)

    def parameters(self) -> dict[str, Any]:
        """All parameters, by name."""
        return {name: getattr(self, name) for name in self.parameter_names()}

    # ------------------------------------------------------------------ learning

    def partial_fit(self, X: Rows, y: NDArray[np.float64]) -> Self:
        """Learn from one more batch; if that fails, the model is what it was before."""
        return self._partial_fit(X, y)

    def _partial_fit(
        self, X: Any, y: Any, *, then: Callable[[], None] | None = None
    ) -> Self:
        """The same, also if what is to be done `then` fails."""

        def learn(undo: Undo) -> None:
            self._learn(Problem.of(X, y, np.empty(0)), y.ndim, undo, then)

        self._all_or_nothing(learn)
        return self

    def _learn(
        self,
        problem: Problem,
        target_ndim: int,
        undo: Undo,
        then: Callable[[], None] | None,
    ) -> None:
        """Learn from a batch, then do what is to be done; both can be undone."""
        before = self._state
        if before is None:
            state = self._allocate(problem)
            self.loss_curve_ = []
            self._target_ndim = target_ndim
        else:
            self._check_continues(before, problem)
            state = before.grown(
                problem.rows.n_features, self.initial_accumulator_value
            )
        self.n_features_in_ = state.n_features
        undo.append(state.remember(problem, self.decay))
        loss = self._learn_batch(state, problem)
        state.forget()
        self._state = state
        self.n_iter_ = 1
        self.loss_curve_.append(loss)
        if then is not None:
            then()

    def _learn_batch(self, state: ModelState, problem: Problem) -> float:
        """Mean progressive loss of a batch; raise if it diverges."""
        if problem.weight_sum == 0:
            return 0.0
        alpha = 0.0 if self.alpha == "auto" else float(self.alpha)
        settings = self._settings(running=True)
        penalty = self._split_penalty([alpha] * state.n_outputs)
        trainer = Trainer(state, problem, settings, penalty)
        sums = trainer.run(trainer.order(None))
        state.check_precision(settings, problem.mean_weight)
        state.outputs["baseline_loss_sum"] += sums[:, 1]
        seen = state.outputs["baseline_loss_sum"] / state.totals["weight_sum"]
        means: list[list[float]] = (sums / problem.weight_sum).tolist()
        limit = DIVERGED ** (1 if self.loss in losses.LINEAR else 2)
        for (loss, untrained), so_far in zip(means, seen.tolist(), strict=True):
            baseline = max(untrained, so_far)
            if loss / limit > baseline > 0:
                raise ValueError(
                    f"Training diverged: the batch's mean progressive loss is "
                    f"{loss:.3g}, that of an untrained model {baseline:.3g}. The model "
                    "is unchanged. Lower eta0 "
                    f"(now {self._base_rate(running=True)}) or scale the features."
                )
        return sum(loss for loss, _ in means) / len(means)

    def _split_penalty(self, alpha: Iterable[float]) -> NDArray[np.float64]:
        """L1 and L2 parts of each output's, shape (n_outputs, 2)."""
        share = float(self.l1_ratio)
        return np.array([[a * share, a * (1.0 - share)] for a in alpha])

    # ---------------------------------------------------------------- predicting

    def predict(self, X: Rows) -> NDArray[np.float64]:
        """Predict the target of each row."""
        return self._on_target_scale(predict_raw(self._fitted_state("predictions"), X))

    def _on_target_scale(self, raw: NDArray[np.float64]) -> NDArray[np.float64]:
        """Predictions of the shape that targets had; `raw` may be changed."""
        if self.loss == "poisson":
            np.exp(raw, out=raw)
        return raw.ravel() if self._target_ndim == 1 else raw

    @property
    def coef_(self) -> NDArray[Any]:
        coef = self._fitted_state("coef_").coef()
        return coef[:, 0] if self._target_ndim == 1 else coef.T

    @property
    def intercept_(self) -> NDArray[np.float64]:
        return self._fitted_state("intercept_").intercept()

    @property
    def grad_sq_sum_(self) -> NDArray[Any]:
        grad_sq_sum = self._fitted_state("grad_sq_sum_").grad_sq_sum()
        return grad_sq_sum[:, 0] if self._target_ndim == 1 else grad_sq_sum.T

    @property
    def t_(self) -> int:
        return self._fitted_state("t_").n_seen

    def _fitted_state(self, attribute: str) -> ModelState:
        if self._state is None:
            raise AttributeError(
                f"{type(self).__name__} has no {attribute} before it is fitted."
            )
        return self._state

    # ----------------------------------------------------------- state and settings

    def _all_or_nothing(self, work: Callable[[Undo], None]) -> None:
        """Leave the estimator as it was if anything is raised, wherever it is.

        Attributes are taken back here, and what else the functions undo that are put
        into the list. No context manager: an interrupt on the way into its exit would
        leave it to the garbage collector to take anything back, at any time.
        """
        before = self.__dict__.copy()
        # Curves only grow: a copy would cost the more, the longer a stream is.
        lengths = {name: len(before[name]) for name in CURVES if name in before}
        undo: Undo = []
        interrupt: BaseException | None = None
        try:
            work(undo)
        except Interrupted as interrupted:
            interrupt = interrupted.__cause__
        except BaseException:
            taken_back = False
            while not taken_back:
                try:
                    for go_back in undo:
                        go_back()
                    callbacks = {
                        name: value
                        for name, value in self.__dict__.items()
                        if "callback" in name
                    }
                    for name, length in lengths.items():
                        del before[name][length:]
                    self.__dict__ = {**before, **callbacks}
                    taken_back = True
                except KeyboardInterrupt:
                    # Another one leaves no half of it.
                    continue
            raise
        if interrupt is not None:
            try:
                # Here, it does not lead to what it was wrapped in, which leads to it.
                raise interrupt
            finally:
                del interrupt

    def _check_continues(self, state: ModelState, problem: Problem) -> None:
        n_outputs = problem.y.shape[1]
        if n_outputs != state.n_outputs:
            raise ValueError(
                f"y has {n_outputs} outputs, but the model was fitted with "
                f"{state.n_outputs}."
            )
        if np.dtype(self.dtype) != state.pairs.dtype:
            raise ValueError(
                f"dtype={self.dtype!r}, but the model was fitted with "
                f"{state.pairs.dtype.name!r}; set it back, or fit a new model."
            )
        if scales.SCALINGS[self._scaling()] != state.totals["column_scaling"][0]:
            raise ValueError(
                "feature_scaling or learning_rate was changed since the model was "
                "fitted; set it back, or fit a new model."
            )

        if bool(self.decay) != state.fades:
            raise ValueError(
                f"decay={self.decay}, but the model was fitted "
                f"{'with' if state.fades else 'without'} one; keep it so, or fit a new "
                "model."
            )

    def _scaling(self) -> str | None:
        constant = self.learning_rate == "constant"
        return (
            None
            if constant and self.feature_scaling == "auto"
            else self.feature_scaling
        )

    def _allocate(self, problem: Problem) -> ModelState:
        return ModelState.allocate(
            problem.rows.n_features,
            problem.y.shape[1],
            np.dtype(self.dtype),
            scaling=self._scaling(),
            initial_accumulator_value=self.initial_accumulator_value,
            fades=self.decay > 0,
        )

    def _loss_parameter(self) -> float:
        name = losses.LOSSES[self.loss][1]
        return float(getattr(self, name)) if name else 0.0

    def _base_rate(self, *, running: bool) -> float:
        if self.eta0 == "auto":
            return STREAM_RATE if running else FIT_RATE
        return float(self.eta0)

    def _settings(self, *, running: bool) -> adagrad.Settings:
        return adagrad.Settings(
            loss=self.loss,
            loss_parameter=self._loss_parameter(),
            eta0=self._base_rate(running=running),
            eps=self.eps,
            scaled=self.learning_rate == "scaled",
            fit_intercept=self.fit_intercept,
            running=running,
            batch_size=self.batch_size,
            decay=self.decay,
        )
