"""Real text of every kind against scikit-learn's own output."""

import os
from pathlib import Path

import pandas as pd
import pytest
from sklearn.feature_extraction.text import HashingVectorizer

from sparse_adagrad.text import HashingTfidfVectorizer
from tests.text.test_vectorizer import assert_same_rows

N_TEXTS = 600
TASKS = [
    "imdb_rating",
    "airbnb_logprice",
    "hackernews_logpoints",
    "airline_tweets_sentiment",
    "job_logsalary_2k",
]


def task_texts(name: str) -> list[str]:
    folder = os.environ.get("SPARSE_ADAGRAD_DATA")
    if folder is None:
        pytest.skip("SPARSE_ADAGRAD_DATA is not set")
    file = Path(folder) / f"{name}.csv.gz"
    return pd.read_csv(file, keep_default_na=False, dtype={"text": str})[
        "text"
    ].tolist()


@pytest.mark.parametrize("name", ["demo", *TASKS])
def test_same_as_scikit_learn(name, request):
    if name == "demo":
        texts = [text for text, _ in request.getfixturevalue("functions")]
    else:
        texts = task_texts(name)
    # From all over the corpus, which may be sorted.
    texts = texts[:: len(texts) // N_TEXTS]
    assert len(texts) >= N_TEXTS
    for options in (
        {},
        {"ngram_range": (1, 2), "stop_words": "english", "lowercase": False},
        {"analyzer": "char_wb", "ngram_range": (3, 4), "n_features": 2**18},
        {"analyzer": "char", "ngram_range": (2, 2), "strip_accents": "unicode"},
    ):
        found = HashingTfidfVectorizer(use_idf=False, **options).transform(texts)
        assert_same_rows(found, HashingVectorizer(**options).transform(texts))
