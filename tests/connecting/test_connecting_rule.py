"""The rule that ends an exploration, on trees made by hand."""

import numpy as np
import pytest

from tda_landscape.connecting._rule import Rule
from tda_landscape.topology import merge_tree
from tda_landscape.topology._words import many

BIRTHS, EDGES, HEIGHTS = [0.0, 1.0, 2.0], [(0, 1), (1, 2), (0, 2)], [4.0, 3.0, 5.0]


def looked(*looks, reached=None, variants=(0, 0)):
    """A rule after some looks (births, edges, heights, confirmations, spent)."""
    rule = Rule()
    for births, edges, heights, confirmations, spent in looks:
        tree = merge_tree((np.array(births), edges, np.array(heights)))
        rule.look(tree, reached or [2] * len(births), list(heights), list(confirmations), variants, spent)
    return rule


def same(confirmations, *spent, heights=HEIGHTS):
    return looked(*[(BIRTHS, EDGES, heights, confirmations, s) for s in spent])


def test_met_when_confirmed_and_long_unchanged():
    assert same([5, 5, 9], 100, 250).met
    assert same([5, 5, 1], 100, 250).met, "a saddle above the last merge may be lonely"


@pytest.mark.parametrize("confirmations", [[4, 9, 9], [9, 4, 9], [0, 9, 9]])
def test_not_met_while_a_merge_is_confirmed_too_rarely(confirmations):
    rule = same(confirmations, 100, 10_000)
    assert not rule.met
    assert rule.fewest == min(confirmations[:2])


def test_a_saddle_that_is_no_merge_needs_no_confirmations():
    assert same([5, 5, 2], 100, 250, heights=[4.0, 3.0, 4.0]).met


@pytest.mark.parametrize(("spent", "met"), [(100, False), (224, False), (225, True)])
def test_patience_is_measured_from_the_last_change(spent, met):
    assert same([5, 5, 5], 100, spent).met == met


def test_a_new_minimum_or_another_height_is_a_change():
    more = ([*BIRTHS, 2.5], [*EDGES, (0, 3)], [*HEIGHTS, 4.5], [9] * 4)
    rule = looked((BIRTHS, EDGES, HEIGHTS, [9] * 3, 100), (*more, 240), (*more, 260))
    assert rule.last_change == 240
    assert not rule.met
    lower = [4.0, 2.9, 5.0]
    rule = looked((BIRTHS, EDGES, HEIGHTS, [9] * 3, 100), (BIRTHS, EDGES, lower, [9] * 3, 240))
    assert rule.last_change == 240


def test_rounding_and_saddles_above_the_merges_are_no_change():
    near = [4.0 + 1e-9, 3.0, 5.0]
    assert looked((BIRTHS, EDGES, HEIGHTS, [9] * 3, 100), (BIRTHS, EDGES, near, [9] * 3, 240)).last_change == 100
    more = (BIRTHS, [*EDGES, (0, 1)], [*HEIGHTS, 4.5], [9] * 4, 240)
    assert looked((BIRTHS, EDGES, HEIGHTS, [9] * 3, 100), more).last_change == 100


@pytest.mark.parametrize(("lonely", "spent"), [(0, 225), (1, 350), (2, 475)])
def test_each_low_saddle_that_was_seen_only_once_asks_for_as_long_again(lonely, spent):
    """Extra saddles between the merges at 3 and 4, that do not change the tree."""
    edges, heights = [*EDGES, (0, 2), (0, 2)], [4.0, 3.0, 5.0, 4.0, 4.0]
    confirmations = [5, 5, 2] + [1] * lonely + [2] * (2 - lonely)
    for after, met in ((spent - 1, False), (spent, True)):
        rule = looked(*[(BIRTHS, edges, heights, confirmations, s) for s in (100, after)])
        assert (rule.lonely, rule.met) == (lonely, met)


@pytest.mark.parametrize(("rare", "met"), [(0, True), (2, True), (3, False), (9, False)])
def test_few_saddles_may_have_been_seen_only_once_however_high_they_are(rare, met):
    """Three minima: three saddles for every four minima are two."""
    edges, heights = [*EDGES, *[(0, 2)] * 8], [*HEIGHTS, *[6.0] * 8]
    confirmations = [5, 5] + [1] * rare + [2] * (9 - rare)
    rule = looked(*[(BIRTHS, edges, heights, confirmations, s) for s in (100, 1000)])
    assert (rule.rare, rule.most_rare, rule.met) == (rare, 2, met)
    assert f"{rare} saddles seen only once (rule: at most 2), 0 of them below" in rule.state("")


def test_minima_that_are_not_joined_keep_it_open():
    rule = looked(*[(BIRTHS, EDGES[:1], HEIGHTS[:1], [9], s) for s in (100, 10_000)])
    assert not rule.connected
    assert not rule.met
    assert "not all joined" in rule.state("the budget was used up")


def test_one_minimum_ends_when_patience_does():
    rule = looked(*[([0.0], [], [], [], s) for s in (100, 224)])
    assert not rule.met
    assert "0 merges, 0 saddles" in rule.state("")
    assert looked(*[([0.0], [], [], [], s) for s in (100, 225)]).met


def test_nothing_found_is_never_enough():
    assert not Rule().met
    assert not looked(([], [], [], [], 100)).met


def test_the_state_says_how_far_it_is_and_never_complete():
    state = same([5, 7, 1], 100, 260).state("the rule is met")
    for part in (
        "the rule is met: 2 merges",
        "the least confirmed 5 times",
        "1 saddle seen only once (rule: at most 2), 0 of them below",
        "unchanged for 160",
    ):
        assert part in state
    assert "complete" not in state
    assert "\n" not in state


@pytest.mark.parametrize(("reached", "single"), [([2, 3, 2], 0), ([9, 1, 9], 1), ([9, 0, 1], 2)])
def test_minima_that_were_reached_only_once_are_told(reached, single):
    rule = looked(*[(BIRTHS, EDGES, HEIGHTS, [5, 5, 9], s) for s in (100, 1000)], reached=reached)
    assert rule.single == single
    assert f"{many(single, 'minimum', 'minima')} reached only once" in rule.state("")


@pytest.mark.parametrize(("tried", "left", "met"), [(0, 0, True), (7, 2, False), (8, 2, True), (0, 1, False)])
def test_four_fifths_of_the_variants_of_minima_are_waited_for(tried, left, met):
    rule = looked(*[(BIRTHS, EDGES, HEIGHTS, [5, 5, 9], s) for s in (100, 1000)], variants=(tried, left))
    assert rule.met == met
    said = f"{tried} of {tried + left} variants of minima tried (rule: 80%)"
    assert (said in rule.state("")) == (tried + left > 0)


def test_climbs_are_given_up_after_long_work_that_joins_nothing():
    apart = [BIRTHS, EDGES[:1], HEIGHTS[:1], [9]]
    assert not Rule().stuck, "nothing was done yet"
    assert not looked((*apart, 100), (*apart, 650)).stuck
    assert looked((*apart, 100), (*apart, 750)).stuck
    assert not same([1, 1, 1], 100, 10_000).stuck, "all are joined"
