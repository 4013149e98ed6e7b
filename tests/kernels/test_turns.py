"""Numbers by which threads tell each other how far they are."""

import threading
import time

import numpy as np
import pytest

from sparse_adagrad.kernels import turns


@pytest.mark.parametrize(("turn", "found"), [(2, True), (3, True), (4, False)])
def test_a_number_is_found_up_to_the_one_announced(turn, found):
    numbers = np.zeros(2, np.int64)
    turns.announce(numbers, 1, 3)
    assert numbers.tolist() == [0, 3]
    assert turns.look_for(numbers, 1, turn, 5) is found


def test_without_a_look_nothing_is_found():
    assert not turns.look_for(np.ones(1, np.int64), 0, 1, 0)


def test_who_looks_sees_what_another_thread_announces():
    numbers = np.zeros(1, np.int64)

    def announce():
        time.sleep(0.01)
        turns.announce(numbers, 0, 1)

    thread = threading.Thread(target=announce)
    thread.start()
    # So many looks take far longer; others run meanwhile, or it would never come.
    assert turns.look_for(numbers, 0, 1, 2**31 - 1)
    thread.join()
