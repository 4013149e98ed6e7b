"""Files: streams of batches, and models."""

from sparse_adagrad.io.svmlight import MatrixBatch, read_svmlight

__all__ = ["MatrixBatch", "read_svmlight"]
