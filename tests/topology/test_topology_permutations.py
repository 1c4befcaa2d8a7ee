"""Orders of permutation groups against enumeration and against known groups."""

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tda_landscape import InputError
from tda_landscape.topology import group_order


def enumerate_group(generators):
    """Every product of generators: the independent answer."""
    seen = {tuple(range(len(generators[0])))}
    todo = list(seen)
    while todo:
        g = todo.pop()
        for h in generators:
            new = tuple(h[i] for i in g)
            if new not in seen:
                seen.add(new)
                todo.append(new)
    return len(seen)


@st.composite
def generators(draw):
    degree = draw(st.integers(1, 6))
    return draw(st.lists(st.permutations(range(degree)), min_size=1, max_size=4))


@settings(max_examples=200, deadline=None)
@given(generators())
def test_order_is_the_number_of_elements(gens):
    assert group_order(gens) == enumerate_group(gens)


def cycle(n):
    return np.roll(np.arange(n), 1)


def swap(n):
    return np.r_[1, 0, 2:n].astype(int)


M12 = (
    [1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 0, 11],
    [0, 1, 6, 9, 5, 3, 10, 2, 8, 4, 7, 11],
    [11, 10, 5, 7, 8, 2, 9, 3, 4, 6, 1, 0],
)
"""The Mathieu group M12: x -> x + 1, (3 7 11 8)(4 10 5 6) and x -> -1 / x on eleven points and infinity."""


@pytest.mark.parametrize(
    ("gens", "order"),
    [
        ([cycle(7)], 7),
        ([cycle(9), np.arange(9)[::-1]], 18),
        ([cycle(20), swap(20)], math.factorial(20)),
        ([cycle(15), [1, 2, 0, *range(3, 15)]], math.factorial(15) // 2),
        ([np.kron(np.eye(2), 1).argmax(1)], 1),
        (M12, 95040),
        ([], 1),
    ],
    ids=["cyclic", "dihedral", "symmetric", "alternating", "trivial", "mathieu", "empty"],
)
def test_known_groups(gens, order):
    assert group_order(gens) == order


def test_signed_permutations_of_ten_units():
    n = 10
    flip = np.arange(2 * n)
    flip[[0, n]] = [n, 0]
    both = [np.r_[g, g + n] for g in (cycle(n), swap(n))]
    assert group_order([*both, flip]) == 2**n * math.factorial(n)
    assert group_order(both) == math.factorial(n)


@pytest.mark.parametrize("wrong", [[0, 0], [1, 2], [[0, 1]], [0.5, 1.0]])
def test_what_is_no_permutation_is_refused(wrong):
    with pytest.raises(InputError, match="permutation"):
        group_order([wrong])
