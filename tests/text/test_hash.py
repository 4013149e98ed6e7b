"""Hashes of runs of bytes by every variant, against scikit-learn's."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.testing import assert_array_equal
from sklearn.utils import murmurhash3_32

from sparse_adagrad.text.ngrams import hash_runs


def check(sizes, gap, avx2):
    rng = np.random.default_rng(0)
    starts = np.cumsum([0, *(size + gap for size in sizes)], dtype=np.int64)[:-1]
    ends = starts + np.array(sizes, np.int64)
    text = rng.bytes(int(ends[-1]) if len(sizes) else 0)
    found = hash_runs(text, starts, ends, avx2)
    if found is None:
        pytest.skip("this CPU has no AVX2")
    expected = [
        murmurhash3_32(text[start:end], positive=True)
        for start, end in zip(starts, ends, strict=True)
    ]
    assert_array_equal(found, np.array(expected, np.uint32))


@pytest.mark.parametrize("avx2", [False, True])
@pytest.mark.parametrize("n", range(34))
def test_numbers_of_runs(n, avx2):
    check([1 + k % 7 for k in range(n)], 1, avx2)


@pytest.mark.parametrize("avx2", [False, True])
@given(st.lists(st.integers(0, 40), max_size=40), st.integers(0, 2))
def test_sizes_of_runs(avx2, sizes, gap):
    check(sizes, gap, avx2)
