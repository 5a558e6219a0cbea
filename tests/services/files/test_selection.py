"""Passages are selected within the budget, the same ones for the same question."""

from collections.abc import Sequence

import pytest

from tgllm.db.tables.passages import Outline
from tgllm.services.files.selection import GAP_TOKENS, Wanted, select, share

COUNT = 100


def outline(count: int = COUNT, tokens: int = 200) -> list[Outline]:
    return [Outline(n, f"page {n}", f"page {n}", "", "", n, n, 0, 0, tokens, "", "") for n in range(count)]


def scores(*found: tuple[int, float]) -> list[float]:
    known = dict(found)
    return [known.get(number, 0.0) for number in range(COUNT)]


def cost(entry: Outline) -> int:
    return entry.tokens


def spent(numbers: Sequence[int]) -> int:
    return len(numbers) * 200 + sum(number - 1 not in set(numbers) for number in numbers) * GAP_TOKENS


@pytest.mark.parametrize("budget", [0, 150, 300, 1000, 5000, 10**6])
@pytest.mark.parametrize(
    "wanted",
    [
        Wanted(scores()),
        Wanted(scores(), is_overview=True),
        Wanted(scores((50, 3.0), (70, 1.0))),
        Wanted([1.0] * COUNT),
        Wanted(scores(), [range(90, 100), range(10)]),
        Wanted(scores((3, 1.0)), [range(COUNT)], is_overview=True),
    ],
)
def test_it_stays_within_the_budget(wanted: Wanted, budget: int) -> None:
    found = select(outline(), wanted, budget, cost)
    assert len(set(found)) == len(found)
    assert not found or spent(found) <= budget
    assert found == select(outline(), wanted, budget, cost)


def test_the_best_match_comes_before_the_title() -> None:
    assert select(outline(), Wanted(scores((50, 3.0))), 300, cost) == [50]


def test_the_title_and_the_neighbours_of_a_match_are_shown() -> None:
    found = select(outline(), Wanted(scores((50, 3.0))), 3000, cost)
    assert {0, 49, 50, 51} <= set(found)


def test_weak_matches_do_not_fill_the_budget() -> None:
    found = select(outline(), Wanted(scores((50, 100.0), *((n, 1.0) for n in range(60, 100)))), 8000, cost)
    assert spent(found) <= 4000


def test_named_parts_come_first() -> None:
    found = select(outline(), Wanted(scores((50, 9.0)), [range(80, 84)]), 1000, cost)
    assert {80, 81} <= set(found)


def test_a_named_part_that_is_too_long_is_shown_in_parts() -> None:
    found = select(outline(), Wanted(scores(), [range(20, 80)]), 3000, cost)
    inside = [number for number in found if 20 <= number < 80]
    assert 20 in inside
    assert max(inside) > 70


def test_several_named_parts_share_the_room() -> None:
    found = select(outline(), Wanted(scores(), [range(20, 40), range(60, 80), range(90, 91)]), 2500, cost)
    assert {20, 60, 90} <= set(found)


def test_a_summary_of_a_named_part_is_about_that_part() -> None:
    found = select(outline(), Wanted(scores(), [range(20, 40)], is_overview=True), 6000, cost)
    assert all(20 <= number < 40 or number < 10 for number in found)


def test_what_was_shown_before_stays_if_it_is_enough() -> None:
    before = select(outline(), Wanted(scores((50, 3.0), (70, 2.9))), 3000, cost)
    assert select(outline(), Wanted(scores((70, 1.0))), 3000, cost, before) == sorted(before)
    assert select(outline(), Wanted(scores()), 3000, cost, before) == sorted(before)
    assert select(outline(), Wanted(scores((90, 1.0))), 3000, cost, before) != sorted(before)
    assert select(outline(), Wanted(scores(), [range(90, 91)]), 3000, cost, before) != sorted(before)
    assert select(outline(), Wanted(scores((70, 1.0))), 400, cost, before) != sorted(before), "it does not fit any more"


def test_nothing_is_spread_if_it_is_not_wanted() -> None:
    assert max(select(outline(), Wanted(scores()), 3000, cost, is_spread=False)) < 10


@pytest.mark.parametrize(
    ("sizes", "weights", "budget", "given"),
    [
        ([10, 10], [1, 1], 100, [10, 10]),
        ([100, 100], [1, 1], 100, [50, 50]),
        ([10, 1000], [1, 1], 100, [10, 90]),
        ([1000, 1000], [3, 1], 100, [75, 25]),
        ([1000, 10, 1000], [1, 1, 1], 110, [50, 10, 50]),
        ([], [], 100, []),
        ([5, 5], [1, 1], 0, [0, 0]),
    ],
)
def test_a_budget_is_shared(sizes: list[int], weights: list[int], budget: int, given: list[int]) -> None:
    assert share(sizes, weights, budget) == given
