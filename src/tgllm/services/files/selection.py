"""Selection of the passages of a long document that a request shows, within a budget of tokens."""

from collections.abc import Callable, Collection, Iterable, Sequence
from dataclasses import dataclass
from typing import Final

from tgllm.db.tables.passages import Outline
from tgllm.services.files.search.scores import NEIGHBOUR_WEIGHT

__all__ = ["GAP_TOKENS", "Wanted", "select", "share"]

GAP_TOKENS: Final = 24
"""Tokens of the note on what is left out before a passage, and of the place of the passage."""
BEGINNING_SHARE: Final = 0.15
"""Share of the budget for the beginning: title and table of contents."""
NAMED_SHARE: Final = 0.8
"""Share of the budget for parts that the question names."""
SURE_SHARE: Final = 0.5
"""Share of the budget up to which every match is shown; above it only good ones."""
GOOD: Final = 0.35
"""Score of a good match in proportion to the best one."""
NEEDED: Final = 0.6
"""Score of a match, in proportion to the best one, without which a selection is made anew."""
MOST_NEEDED: Final = 4
PAIRS_FROM: Final = 8
"""Passages from which on evenly spread ones are shown in pairs: two in a row can be followed better."""


@dataclass(frozen=True, slots=True)
class Wanted:
    """What a question wants of a document."""

    scores: Sequence[float]
    """How well each passage matches."""
    named: Sequence[range] = ()
    """Passages of the parts that the question names, the most important ones first."""
    is_overview: bool = False
    """Whether it is about the text as a whole."""


def share(sizes: Sequence[int], weights: Sequence[int], budget: int) -> list[int]:
    """Divide a budget: each gets at most its size, and what small ones leave goes to the others by their weights."""
    given = [0 for _ in sizes]
    waiting: set[int] = set(range(len(sizes)))
    left = budget
    while waiting:
        total = sum(weights[index] for index in waiting)
        small: set[int] = {index for index in waiting if sizes[index] * total <= left * weights[index]}
        for index in small or waiting:
            given[index] = sizes[index] if small else left * weights[index] // total
        left -= sum(sizes[index] for index in small)
        waiting = {index for index in waiting - small if small}
    return given


def select(
    outline: Sequence[Outline],
    wanted: Wanted,
    budget: int,
    cost: Callable[[Outline], int],
    previous: Collection[int] = (),
    *,
    is_spread: bool = True,
) -> list[int]:
    """Return the numbers of the passages to show, in order of importance.

    The result depends on the arguments only. A previous selection stays if it holds what the question needs, so that
    the request keeps its prefix from turn to turn (prompt caching).

    Args:
        outline: the passages.
        wanted: what the question wants.
        budget: maximum number of tokens.
        cost: tokens of a passage.
        previous: passages that were shown for the question before.
        is_spread: whether passages from all over the text are shown if nothing matches.
    """
    smooth = _with_neighbours(wanted.scores)
    if previous and _is_enough(outline, wanted, smooth, budget, cost, previous):
        return sorted(previous)
    chosen = _Chosen(outline, cost)
    for index, numbers in enumerate(wanted.named):
        # What the first ones leave goes to the others.
        room = int((budget * NAMED_SHARE - chosen.spent) / (len(wanted.named) - index))
        chosen.fill(_spread_in(numbers, outline, room, cost), chosen.spent + room)
    ranked = sorted((number for number, found in enumerate(smooth) if found > 0), key=lambda n: (-smooth[n], n))
    best = smooth[ranked[0]] if ranked else 0.0
    if not wanted.is_overview:
        # In a small budget the best match counts more than the title.
        chosen.fill(ranked[:1], budget)
    chosen.fill(_beginning(outline, int(budget * BEGINNING_SHARE), cost), budget)
    if not wanted.is_overview:
        chosen.fill([number for number in ranked if smooth[number] >= GOOD * best], budget)
        chosen.fill(ranked, budget * SURE_SHARE)
    if not wanted.named and (wanted.is_overview or (is_spread and not ranked)):
        # Half of the matches of "summarise what it says about trees", and the rest of everything.
        chosen.fill(ranked, budget * SURE_SHARE)
        chosen.fill(_spread(len(outline), _fitting(outline, budget - chosen.spent, cost)), budget)
    return chosen.numbers


class _Chosen:
    """Chosen passages and what they cost."""

    def __init__(self, outline: Sequence[Outline], cost: Callable[[Outline], int]) -> None:
        self._outline = outline
        self._cost = cost
        self._known: set[int] = set()
        self.numbers: list[int] = []
        """In the order in which they were chosen."""
        self.spent = 0

    def fill(self, numbers: Iterable[int], limit: float) -> None:
        """Add passages as long as they fit; one that does not fit ends it, unless it is larger than the others."""
        refused = 0
        for number in numbers:
            if number in self._known:
                continue
            beside = (number - 1 in self._known) + (number + 1 in self._known)
            cost = self._cost(self._outline[number]) + (1 - beside) * GAP_TOKENS
            if self.spent + cost > limit:
                refused += 1
                if refused > 3:
                    return
                continue
            self._known.add(number)
            self.numbers.append(number)
            self.spent += cost


def _is_enough(
    outline: Sequence[Outline],
    wanted: Wanted,
    smooth: Sequence[float],
    budget: int,
    cost: Callable[[Outline], int],
    previous: Collection[int],
) -> bool:
    """Return whether a previous selection fits and holds what the question names and its best matches."""
    known = set(previous)
    if wanted.is_overview or max(known) >= len(outline):
        return False
    best = max(smooth, default=0.0)
    needed = {number for numbers in wanted.named for number in numbers}
    ranked = sorted((n for n, found in enumerate(wanted.scores) if found), key=lambda n: (-wanted.scores[n], n))
    needed |= {number for number in ranked[:MOST_NEEDED] if smooth[number] >= NEEDED * best}
    gaps = sum(number - 1 not in known for number in known)
    return needed <= known and sum(cost(outline[number]) for number in known) + gaps * GAP_TOKENS <= budget


def _with_neighbours(scores: Sequence[float]) -> list[float]:
    """Return the scores with a part of the neighbours' scores: an answer may begin or end there."""
    if not scores:
        return []
    padded = [0.0, *scores, 0.0]
    return [
        own + NEIGHBOUR_WEIGHT * max(before, after)
        for before, own, after in zip(padded, scores, padded[2:], strict=False)
    ]


def _beginning(outline: Sequence[Outline], budget: int, cost: Callable[[Outline], int]) -> Iterable[int]:
    """Return the first passage, and the next ones that fit a part of the budget."""
    return range(min(max(_fitting(outline, budget, cost), 1), len(outline)))


def _fitting(outline: Sequence[Outline], budget: int, cost: Callable[[Outline], int]) -> int:
    """Return about how many passages fit, counted by the size of the first ones."""
    if not outline:
        return 0
    sample = outline[:64]
    usual = sum(map(cost, sample)) / len(sample) + GAP_TOKENS / 2
    return max(int(budget / max(usual, 1)), 0)


def _spread(count: int, fitting: int) -> list[int]:
    """Return passages that are evenly spread over a text of ``count`` passages, its last one among them."""
    if fitting >= count:
        return list(range(count))
    length = 2 if fitting >= PAIRS_FROM else 1
    runs = max(fitting // length, 1)
    last = count - length
    starts = [round(last * (index + 1) / runs) for index in range(runs)]
    return [number for start in starts for number in range(start, start + length)]


def _spread_in(
    numbers: range, outline: Sequence[Outline], budget: int, cost: Callable[[Outline], int]
) -> Iterable[int]:
    """Return the passages of a part, evenly spread if not all fit, its first one among them."""
    fitting = _fitting([outline[number] for number in numbers], budget, cost)
    return [numbers[0], *(numbers[number] for number in _spread(len(numbers), fitting))]
