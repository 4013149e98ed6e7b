"""Text to CSR, without a Python object for each token."""

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from sparse_adagrad.text.vectorizer import HashingTfidfVectorizer

__all__ = ["HashingTfidfVectorizer"]


def __getattr__(name: str) -> Any:
    """Load scikit-learn with the vectorizer, when that is asked for."""
    if name == "HashingTfidfVectorizer":
        from sparse_adagrad.text.vectorizer import HashingTfidfVectorizer

        return HashingTfidfVectorizer
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
