"""Linear models on large sparse text features with AdaGrad, at home in scikit-learn."""

from typing import TYPE_CHECKING, Any

from sparse_adagrad.kernels.cpu import cpu_variant

if TYPE_CHECKING:
    from sparse_adagrad.regressor import SparseAdaGradRegressor

    __version__: str

__all__ = ["SparseAdaGradRegressor", "__version__", "cpu_variant"]


def __getattr__(name: str) -> Any:
    """Load what takes long, scikit-learn above all, when it is asked for."""
    if name == "SparseAdaGradRegressor":
        from sparse_adagrad.regressor import SparseAdaGradRegressor

        return SparseAdaGradRegressor
    if name == "__version__":
        from importlib.metadata import version

        return version("sparse-adagrad")
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
