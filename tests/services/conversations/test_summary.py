"""What a summary covers, and what a model is asked for it."""

from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from tgllm.db.queries.contexts import HistoryMessage
from tgllm.db.tables.summaries import Summary
from tgllm.i18n import Catalogue
from tgllm.services.conversations.history import Estimator, Shown, show
from tgllm.services.conversations.summary import Gap, cut_to_fit, gap_of, question_for


class Letters(Estimator):
    """One token a letter."""

    def __call__(self, text: str) -> int:
        return len(text)

    def of(self, row: HistoryMessage) -> int:
        return len(row.text)


LETTERS = Letters()


def talk(count: int, size: int = 10) -> list[HistoryMessage]:
    """Questions and answers in turn, each of ``size`` letters."""
    return [
        HistoryMessage(n + 1, n or None, 1, "assistant" if n % 2 else "user", chr(97 + n % 26) * size)
        for n in range(count)
    ]


def ids(gap: Gap | None) -> list[int]:
    assert gap is not None
    return [row.id for row in gap.rows]


def summary(reaches_to: int) -> Summary:
    return Summary(1, reaches_to, "s" * 5, "mine", "a", 0)


def test_where_all_fits_nothing_is_summarised() -> None:
    assert gap_of(show(talk(6), None, 60, LETTERS), 100, LETTERS) is None


def test_half_of_the_context_is_free_afterwards() -> None:
    shown = show(talk(12), None, 80, LETTERS)
    assert [row.id for row in shown.fallen] == [1, 2, 3, 4]
    gap = gap_of(shown, 100, LETTERS)
    assert ids(gap) == [1, 2, 3, 4, 5, 6, 7, 8]


def test_it_goes_on_from_the_earlier_one() -> None:
    shown = show(talk(16), summary(4), 80, LETTERS)
    gap = gap_of(shown, 100, LETTERS)
    assert gap is not None
    assert (gap.earlier, ids(gap)) == ("s" * 5, [*range(5, 13)])


def test_a_long_question_that_leaves_no_room_for_it_makes_it_no_second_time() -> None:
    shown = show(talk(16), summary(4), 9, LETTERS)
    assert (shown.messages, shown.summary) == ([], None)
    gap = gap_of(shown, 100, LETTERS)
    assert gap is not None
    assert (gap.earlier, ids(gap)[0]) == ("s" * 5, 5)


def test_a_long_history_is_caught_up_with_in_pieces() -> None:
    gap = gap_of(show(talk(100), None, 80, LETTERS), 100, LETTERS)
    assert ids(gap) == [*range(1, 11)]


def test_an_exchange_that_is_too_long_by_itself_is_covered_too() -> None:
    rows = [*talk(2, size=500), *(row._replace(id=row.id + 2, parent_id=row.id + 1) for row in talk(2))]
    gap = gap_of(show(rows, None, 30, LETTERS), 40, LETTERS)
    assert ids(gap) == [1, 2]
    assert gap is not None
    assert len(question_for(gap, 40, Catalogue(strict=True), LETTERS)) < 600


@given(
    st.lists(st.tuples(st.sampled_from(["user", "assistant"]), st.integers(1, 40)), max_size=30),
    st.integers(-5, 300),
    st.integers(0, 30),
)
def test_what_is_shown_begins_with_a_question(said: list[tuple[Any, int]], budget: int, reaches_to: int) -> None:
    """A summary is put into the first message, and nobody but the person says it."""
    rows = [row._replace(role=role, text="x" * size) for row, (role, size) in zip(talk(len(said)), said, strict=True)]
    shown = show(rows, summary(reaches_to) if reaches_to else None, budget, LETTERS)
    assert not shown.messages or shown.messages[0].role == "user"


@given(st.lists(st.integers(1, 40), max_size=30), st.integers(1, 200), st.integers(0, 10))
def test_it_always_reaches_further_and_ends_with_an_answer(sizes: list[int], most: int, reaches_to: int) -> None:
    rows = [row._replace(text="x" * size) for row, size in zip(talk(len(sizes) // 2 * 2), sizes, strict=False)]
    shown = show(rows, summary(reaches_to // 2 * 2) if reaches_to > 1 else None, most, LETTERS)
    gap = gap_of(shown, most, LETTERS)
    if gap is None:
        assert not shown.fallen
    else:
        assert gap.rows[-1].role == "assistant"
        assert [row.id for row in gap.rows] == [*range(shown.fallen[0].id, gap.rows[-1].id + 1)]


def test_the_model_is_given_what_was_said_and_the_earlier_summary() -> None:
    asked = question_for(Gap("On boats.", talk(2, 3)), 2000, Catalogue(strict=True), LETTERS)
    material = asked.partition("\n\n")[2]
    assert "At most 200 words" in asked
    assert material.startswith("[Summary of the conversation so far")
    assert material.endswith("On boats.]\n\nUser: aaa\n\nAssistant: bbb")


def test_a_text_is_cut_until_it_fits() -> None:
    assert cut_to_fit("x" * 100, 100, LETTERS) == "x" * 100
    assert 0 < len(cut_to_fit("x" * 100, 99, LETTERS)) <= 99
    assert cut_to_fit("xxx", 0, lambda text: len(text) + 4) == ""


def test_shown_without_anything_has_no_gap() -> None:
    assert gap_of(Shown((), None, ()), 10, LETTERS) is None
