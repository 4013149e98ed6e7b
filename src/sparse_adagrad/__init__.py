"""Linear models on large sparse text features with AdaGrad, at home in scikit-learn."""

from importlib.metadata import version

from sparse_adagrad.kernels.adagrad import cpu_variant
from sparse_adagrad.regressor import SparseAdaGradRegressor

__version__ = version("sparse-adagrad")
__all__ = ["SparseAdaGradRegressor", "__version__", "cpu_variant"]
