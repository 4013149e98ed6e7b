"""Files: streams of batches, and models."""

from sparse_adagrad.io.svmlight import MatrixBatch, read_svmlight
from sparse_adagrad.io.texts import TextBatch, read_batches

__all__ = ["MatrixBatch", "TextBatch", "read_batches", "read_svmlight"]
