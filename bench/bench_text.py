"""Text to CSR beside scikit-learn's HashingVectorizer: megabytes a second.

    pytest bench/bench_text.py -s

Each case is first checked to give scikit-learn's rows, entry for entry, then takes its
turn with it. The corpus is the demonstration's: Python's standard library, function by
function, all but ASCII; the other scripts repeat a few sentences in random order.
"""

from __future__ import annotations

import numpy as np
import pytest
from sklearn.feature_extraction.text import HashingVectorizer
from tasks import data_folder, load_task
from timing import seconds

from sparse_adagrad.demo import library_functions
from sparse_adagrad.text import HashingTfidfVectorizer

ROUNDS = 3
# Of one thread and two: a core that has rested takes some calls to get up to speed.
TURNS = 9
SENTENCES = {
    "Cyrillic": "Съешь же ещё этих мягких французских булок да выпей чаю потом",
    "Greek": "Ξεσκεπάζω την ψυχοφθόρα βδελυγμία του παλιού κόσμου χωρίς φόβο",
    "Chinese": "床前明月光 疑是地上霜 举头望明月 低头思故乡 春眠不觉晓 处处闻啼鸟",
}


def corpus(script: str) -> list[str]:
    if script == "imdb_rating":
        if data_folder() is None:
            pytest.skip("SPARSE_ADAGRAD_DATA is not set")
        return list(load_task(script).texts)
    if script == "ASCII":
        return [text for text, _ in library_functions()]
    words = np.array(SENTENCES[script].split())
    rng = np.random.default_rng(0)
    return [" ".join(rng.choice(words, 100)) for _ in range(5_000)]


CASES = {
    "unigrams": ("ASCII", {}, 17),
    "bigrams": ("ASCII", {"ngram_range": (1, 2)}, 12),
    "char_wb": ("ASCII", {"analyzer": "char_wb", "ngram_range": (3, 5)}, 12),
    "imdb_rating, from Arrow": ("imdb_rating", {}, 17),
    "Cyrillic": ("Cyrillic", {}, 8),
    "Greek": ("Greek", {}, 8),
    "Chinese": ("Chinese", {}, 8),
}


@pytest.mark.parametrize("name", CASES)
def test_hashing(benchmark, name):
    script, options, must = CASES[name]
    texts = corpus(script)
    size = sum(len(text.encode()) for text in texts) / 1e6
    column = texts
    if name.endswith("Arrow"):
        column = pytest.importorskip("pyarrow").chunked_array([texts])
    ours = HashingTfidfVectorizer(use_idf=False, **options)
    two = HashingTfidfVectorizer(use_idf=False, n_jobs=2, **options)
    theirs = HashingVectorizer(**options)
    rows, expected = ours.transform(column), theirs.transform(texts)
    for part in ("indptr", "indices", "data"):
        np.testing.assert_array_equal(getattr(rows, part), getattr(expected, part))
    del rows, expected
    others, alone, threads = [], [], []

    def take_turns():
        others.append(seconds(lambda: theirs.transform(texts)))
        # Theirs leaves memory in pieces, which the first of ours clears up.
        two.transform(column)
        for _ in range(TURNS):
            alone.append(seconds(lambda: ours.transform(column)))
            threads.append(seconds(lambda: two.transform(column)))

    benchmark.pedantic(
        ours.transform, (column,), setup=take_turns, rounds=ROUNDS, warmup_rounds=1
    )
    took = benchmark.stats.stats.median
    figures = {
        "MB/s": size / took,
        f"times HashingVectorizer (must {must})": np.median(others) / took,
        "two threads (must 1.7)": np.median(alone) / np.median(threads),
    }
    benchmark.extra_info.update(figures)
    line = ", ".join(f"{value:.2f} {what}" for what, value in figures.items())
    print(f"\n{name}: {line}")
