"""Text to CSR, without a Python object for each token."""

from sparse_adagrad.text.vectorizer import HashingTfidfVectorizer

__all__ = ["HashingTfidfVectorizer"]
