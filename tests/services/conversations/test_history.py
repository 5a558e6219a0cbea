"""What of a conversation a model is shown."""

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tgllm.api import ChatMessage, ChatRequest, ModelRef, TextPart
from tgllm.db.queries.contexts import HistoryMessage
from tgllm.db.tables.messages import Role
from tgllm.db.tables.models import Model
from tgllm.services.chats.settings import ContextSize
from tgllm.services.conversations.history import (
    begin_with,
    budget_of,
    estimate_tokens,
    fit_history,
    room_in,
    show,
    step_of,
    to_chat_message,
    with_less_history,
)

MODEL = ModelRef("scripted", "model")


def message(role: Role, text: str, model: ModelRef | None = None) -> HistoryMessage:
    return HistoryMessage(
        id=1,
        parent_id=None,
        conversation_id=1,
        role=role,
        text=text,
        provider=model.provider if model else None,
        model=model.model if model else None,
        data_json='{"signature": "abc"}' if model else None,
    )


def dialogue(*texts: str) -> list[HistoryMessage]:
    return [message("assistant" if number % 2 else "user", text) for number, text in enumerate(texts)]


def test_all_of_a_short_history_is_shown() -> None:
    rows = dialogue("one", "two", "three", "four")
    assert fit_history(rows, 1000) == rows


def test_the_oldest_go_first() -> None:
    rows = dialogue("word " * 500, "two", "three", "four")
    assert [row.text for row in fit_history(rows, 100)] == ["three", "four"]


def test_history_begins_with_a_question() -> None:
    rows = dialogue("one", "two", "three", "four")
    budget = sum(estimate_tokens(row.text) for row in rows[1:])
    assert [row.text for row in fit_history(rows, budget)] == ["three", "four"]


@pytest.mark.parametrize("budget", [0, -5])
def test_without_a_budget_there_is_no_history(budget: int) -> None:
    assert list(fit_history(dialogue("one", "two"), budget)) == []


@pytest.mark.parametrize("piece", ["word ", "слово ", "字", "\n", "x"])
def test_of_an_answer_that_is_too_long_the_end_is_shown(piece: str) -> None:
    rows = dialogue("one", "two", "three", piece * 200_000 + "end", "four")[:4]
    question, answer = fit_history(rows, 1000)
    assert question == rows[2]
    assert answer.text.startswith("… ")
    assert answer.text.endswith(f"{piece}end")
    assert 500 < estimate_tokens(question.text) + estimate_tokens(answer.text) <= 1000


def test_it_is_no_message_that_a_provider_returned() -> None:
    rows = [message("user", "one"), message("assistant", "word " * 5000, MODEL)]
    assert fit_history(rows, 1000)[-1].provider_data is None


@pytest.mark.parametrize("question", ["word " * 5000, "word " * 700])
def test_beside_a_long_question_there_is_no_room_for_an_end(question: str) -> None:
    assert list(fit_history(dialogue(question, "word " * 5000), 1000)) == []


@given(st.lists(st.tuples(st.sampled_from(["user", "assistant"]), st.text(max_size=50))), st.integers(-5, 200))
def test_history_is_an_end_that_fits_and_begins_with_a_question(said: list[tuple[Role, str]], budget: int) -> None:
    rows = [message(role, text) for role, text in said]
    kept = list(fit_history(rows, budget))
    assert kept == rows[len(rows) - len(kept) :]
    assert sum(estimate_tokens(row.text) for row in kept) <= max(budget, 0)
    assert not kept or kept[0].role == "user"


def test_every_message_costs_something_and_long_ones_more() -> None:
    assert 0 < estimate_tokens("") < estimate_tokens("a" * 30) <= estimate_tokens("я" * 30) < estimate_tokens("中" * 30)


def test_a_text_that_can_not_be_encoded_has_a_length_too() -> None:
    assert estimate_tokens("\ud83d" * 30) > estimate_tokens("")


def test_opaque_data_goes_back_to_its_own_model_only() -> None:
    row = message("assistant", "Fine.", MODEL)
    mine = to_chat_message(row, MODEL)
    other = to_chat_message(row, ModelRef("scripted", "another"))
    assert (mine.role, mine.parts, mine.provider_data) == ("assistant", (TextPart("Fine."),), {"signature": "abc"})
    assert other.provider_data is None


def request_of(*texts: str) -> ChatRequest:
    return ChatRequest("model", tuple(ChatMessage(row.role, (TextPart(row.text),)) for row in dialogue(*texts)))


def texts_of(request: ChatRequest | None) -> list[str]:
    assert request is not None
    return [message.text for message in request.messages]


def test_less_history_is_the_newer_half_that_begins_with_a_question() -> None:
    shorter = with_less_history(request_of("one", "two", "three", "four", "five", "six", "and now?"))

    assert texts_of(shorter) == ["five", "six", "and now?"]


def test_a_long_last_answer_leaves_the_question_alone() -> None:
    assert texts_of(with_less_history(request_of("one", "two " * 500, "and now?"))) == ["and now?"]


def test_without_history_there_is_nothing_to_leave_out() -> None:
    assert with_less_history(request_of("and now?")) is None


def test_less_history_keeps_the_summary() -> None:
    summary, whole = TextPart("On boats."), request_of("word " * 9, "two", "three", "four", "and now?")
    told = replace(whole, messages=begin_with(whole.messages, summary))
    shorter = with_less_history(told, summary)
    assert texts_of(shorter) == ["On boats.three", "four", "and now?"]
    assert shorter is not None
    assert texts_of(with_less_history(shorter, summary)) == ["On boats.and now?"]
    # One that a plugin has taken out does not come back.
    assert texts_of(with_less_history(whole, summary)) == ["three", "four", "and now?"]


def test_a_summary_makes_nobody_say_what_another_has_said() -> None:
    for role in ("user", "assistant"):
        said = ChatMessage(role, (TextPart("one"),), {"signature": "abc"})  # type: ignore[arg-type]  one of the roles
        (first,) = begin_with([said], TextPart("On boats."))
        assert (first.role, first.text, first.provider_data) == (role, "On boats.one", {"signature": "abc"})


@given(st.lists(st.text(max_size=40), min_size=1, max_size=9))
def test_less_history_is_always_less(texts: list[str]) -> None:
    """However often it is asked for, it comes to an end."""
    request: ChatRequest | None = request_of(*texts)
    while request is not None:
        shorter = with_less_history(request)
        assert shorter is None or len(shorter.messages) < len(request.messages)
        request = shorter


def model_of(window: int | None, output: int | None) -> Model:
    return Model(
        provider="mine",
        model="a",
        title="a",
        aliases=(),
        context_window=window,
        max_output_tokens=output,
        mime_types=(),
        reasoning=False,
        input_price=None,
        output_price=None,
        cached_price=None,
        cache_write_price=None,
        price_as_of=None,
        is_default=False,
        first_seen_at=0,
        last_seen_at=0,
        retired_at=None,
    )


@pytest.mark.parametrize(
    ("window", "output", "room"),
    [(None, 500, None), (1000, None, 750), (1000, 100, 900), (1000, 800, 500), (1000, 1000, 500)],
)
def test_the_answer_has_its_place_in_the_window(window: int | None, output: int | None, room: int | None) -> None:
    assert room_in(model_of(window, output)) == room


@pytest.mark.parametrize(("window", "room"), [(None, 700), (1000, 700), (900, 675)])
def test_the_operator_may_leave_less_room(window: int | None, room: int) -> None:
    assert room_in(model_of(window, None), 700) == room
    assert room_in(None, 700) == 700


def test_a_model_that_is_not_known_has_no_known_room() -> None:
    assert room_in(None) is None


@pytest.mark.parametrize(
    ("size", "room", "budget"),
    [
        (None, None, 8000),
        (None, 3000, 3000),
        (2000, None, 2000),
        (32_000, 3000, 3000),
        ("max", 200_000, 200_000),
        ("max", None, 8000),
    ],
)
def test_the_chat_chooses_before_the_operator_and_the_model_has_the_last_word(
    size: ContextSize | None, room: int | None, budget: int
) -> None:
    assert budget_of(size, 8000, room) == budget


def branch(exchanges: int, tokens: int = 100, *, stored: int = 10**9) -> list[HistoryMessage]:
    """Questions and answers of so many tokens; only the last ``stored`` rows say how many come before them."""
    count = 2 * exchanges
    return [
        HistoryMessage(
            number + 1,
            number or None,
            1,
            "assistant" if number % 2 else "user",
            "x",
            tokens=tokens if count - number <= stored else None,
            tokens_before=number * tokens if count - number <= stored else None,
        )
        for number in range(count)
    ]


def first_shown(rows: list[HistoryMessage], budget: int, step: int) -> int:
    """Return the id of the oldest message in a request."""
    return show(rows, None, budget, step=step).messages[0].id


def test_the_beginning_stays_for_many_turns() -> None:
    """Providers charge less for a prefix that they have seen before."""
    step = step_of(8000, 1.0)
    begins = [first_shown(branch(count), 7900, step) for count in range(60, 160)]
    assert begins == sorted(begins)
    assert len(set(begins)) <= 100 * 200 / step + 2
    for count in range(60, 160):
        shown = show(branch(count), None, 7900, step=step).messages
        assert 7900 - step - 200 <= len(shown) * 100 <= 7900
        assert shown[0].role == "user"


def test_a_question_of_another_length_moves_the_beginning_seldom() -> None:
    step, rows = step_of(8000, 1.0), branch(200)
    assert len({first_shown(rows, 7950 - 50 * length, step) for length in range(9)}) <= 2


def test_the_beginning_does_not_depend_on_what_was_read() -> None:
    step, rows = step_of(8000, 1.0), branch(200)
    assert {first_shown(rows[-count:], 7900, step) for count in range(80, 400, 2)} == {first_shown(rows, 7900, step)}


def test_the_calibration_moves_the_beginning_seldom() -> None:
    steps = [step_of(8000, 1 + hundredth / 100) for hundredth in range(100)]
    assert len(set(steps)) <= 2
    assert all(8000 / factor / 8 < step_of(8000, factor) <= 8000 / factor / 4 for factor in (0.3, 1.0, 1.7, 4.0))


def test_messages_of_earlier_versions_have_a_steady_beginning_too() -> None:
    """Their estimates were not stored: those after them say where they are."""
    step = step_of(8000, 1.0)
    small = estimate_tokens("x")
    old = [row._replace(tokens=None, tokens_before=None) for row in branch(2000)]
    begins: list[int] = []
    for turns in range(40):
        new = [row._replace(id=5000 + row.id) for row in branch(turns, small)]
        begins.append(first_shown([*old, *new], 7900, step))
    assert len(set(begins)) <= 2


def test_a_history_that_fits_is_shown_whole_and_a_small_one_as_far_as_it_fits() -> None:
    assert first_shown(branch(39), 7900, step_of(8000, 1.0)) == 1
    assert step_of(2000, 1.0) == 0
    assert len(show(branch(50), None, 1000, step=step_of(1000, 1.0)).messages) == 10


def test_a_step_never_takes_more_than_half() -> None:
    """A large document may leave little room, and one exchange may be longer than a step."""
    for budget in range(200, 3000, 100):
        kept = len(show(branch(200), None, budget, step=2048).messages) * 100
        assert kept >= (budget // 200 * 200) / 2
    rows = [*branch(3, 3000), *[row._replace(tokens_before=18_000 + (row.tokens_before or 0)) for row in branch(2)]]
    assert len(show(rows, None, 7000, step=1024).messages) >= 4
