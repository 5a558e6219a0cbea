"""What a summary covers, and what a model is asked for it."""

from dataclasses import replace
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from tgllm.db.tables.messages import Message
from tgllm.db.tables.summaries import Summary
from tgllm.i18n import Catalogue
from tgllm.services.conversations.history import Shown, show
from tgllm.services.conversations.summary import Gap, cut_to_fit, gap_of, question_for

ROW = Message(
    id=1,
    conversation_id=1,
    parent_id=None,
    turn_id="u1",
    role="user",
    text="",
    parts=(),
    provider=None,
    model=None,
    provider_data=None,
    status="complete",
    telegram_chat_id=None,
    telegram_message_ids=(),
    user_id=None,
    created_at=0,
)


def talk(count: int, size: int = 10) -> list[Message]:
    """Questions and answers in turn, each of ``size`` tokens as ``len`` counts them."""
    return [
        replace(ROW, id=n + 1, parent_id=n or None, role="assistant" if n % 2 else "user", text=chr(97 + n % 26) * size)
        for n in range(count)
    ]


def ids(gap: Gap | None) -> list[int]:
    assert gap is not None
    return [row.id for row in gap.rows]


def summary(reaches_to: int) -> Summary:
    return Summary(1, reaches_to, "s" * 5, "mine", "a", 0)


def test_where_all_fits_nothing_is_summarised() -> None:
    assert gap_of(show(talk(6), None, 60, len), 100, len) is None


def test_half_of_the_context_is_free_afterwards() -> None:
    shown = show(talk(12), None, 80, len)
    assert [row.id for row in shown.fallen] == [1, 2, 3, 4]
    gap = gap_of(shown, 100, len)
    assert ids(gap) == [1, 2, 3, 4, 5, 6, 7, 8]


def test_it_goes_on_from_the_earlier_one() -> None:
    shown = show(talk(16), summary(4), 80, len)
    gap = gap_of(shown, 100, len)
    assert gap is not None
    assert (gap.earlier, ids(gap)) == ("s" * 5, [*range(5, 13)])


def test_a_long_question_that_leaves_no_room_for_it_makes_it_no_second_time() -> None:
    shown = show(talk(16), summary(4), 9, len)
    assert (shown.messages, shown.summary) == ([], None)
    gap = gap_of(shown, 100, len)
    assert gap is not None
    assert (gap.earlier, ids(gap)[0]) == ("s" * 5, 5)


def test_a_long_history_is_caught_up_with_in_pieces() -> None:
    gap = gap_of(show(talk(100), None, 80, len), 100, len)
    assert ids(gap) == [*range(1, 11)]


def test_an_exchange_that_is_too_long_by_itself_is_covered_too() -> None:
    rows = [*talk(2, size=500), *(replace(row, id=row.id + 2, parent_id=row.id + 1) for row in talk(2))]
    gap = gap_of(show(rows, None, 30, len), 40, len)
    assert ids(gap) == [1, 2]
    assert gap is not None
    assert len(question_for(gap, 40, Catalogue(strict=True), len)) < 600


@given(
    st.lists(st.tuples(st.sampled_from(["user", "assistant"]), st.integers(1, 40)), max_size=30),
    st.integers(-5, 300),
    st.integers(0, 30),
)
def test_what_is_shown_begins_with_a_question(said: list[tuple[Any, int]], budget: int, reaches_to: int) -> None:
    """A summary is put into the first message, and nobody but the person says it."""
    rows = [replace(row, role=role, text="x" * size) for row, (role, size) in zip(talk(len(said)), said, strict=True)]
    shown = show(rows, summary(reaches_to) if reaches_to else None, budget, len)
    assert not shown.messages or shown.messages[0].role == "user"


@given(st.lists(st.integers(1, 40), max_size=30), st.integers(1, 200), st.integers(0, 10))
def test_it_always_reaches_further_and_ends_with_an_answer(sizes: list[int], most: int, reaches_to: int) -> None:
    rows = [replace(row, text="x" * size) for row, size in zip(talk(len(sizes) // 2 * 2), sizes, strict=False)]
    shown = show(rows, summary(reaches_to // 2 * 2) if reaches_to > 1 else None, most, len)
    gap = gap_of(shown, most, len)
    if gap is None:
        assert not shown.fallen
    else:
        assert gap.rows[-1].role == "assistant"
        assert [row.id for row in gap.rows] == [*range(shown.fallen[0].id, gap.rows[-1].id + 1)]


def test_the_model_is_given_what_was_said_and_the_earlier_summary() -> None:
    asked = question_for(Gap("On boats.", talk(2, 3)), 2000, Catalogue(strict=True), len)
    material = asked.partition("\n\n")[2]
    assert "At most 200 words" in asked
    assert material.startswith("[Summary of the conversation so far")
    assert material.endswith("On boats.]\n\nUser: aaa\n\nAssistant: bbb")


def test_a_text_is_cut_until_it_fits() -> None:
    assert cut_to_fit("x" * 100, 100, len) == "x" * 100
    assert 0 < len(cut_to_fit("x" * 100, 99, len)) <= 99
    assert cut_to_fit("xxx", 0, lambda text: len(text) + 4) == ""


def test_shown_without_anything_has_no_gap() -> None:
    assert gap_of(Shown((), None, ()), 10, len) is None
