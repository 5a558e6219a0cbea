"""Histories in memory: which are kept, for which model, and up to which size."""

from tgllm.api import ChatMessage, ModelRef, TextPart
from tgllm.db.queries.contexts import HistoryMessage
from tgllm.services.conversations.kept_history import LEAST_MESSAGES, PER_MESSAGE, KeptHistories

MODEL = ModelRef("mine", "a")


def history(count: int = LEAST_MESSAGES, **fields: object) -> list[HistoryMessage]:
    return [
        HistoryMessage(n + 1, n or None, 1, "assistant" if n % 2 else "user", "text", created_at=n)._replace(**fields)
        for n in range(count)
    ]


def test_messages_are_kept_with_their_conversion() -> None:
    kept = KeptHistories()
    converted = kept.keep(1, MODEL, history())
    assert converted[0].said == ChatMessage("user", (TextPart("text"),))
    assert list(kept.of(1, MODEL).values()) == list(converted)
    # What was converted before is not converted again.
    assert all(a is b for a, b in zip(kept.keep(1, MODEL, converted), converted, strict=True))


def test_another_model_gets_none_of_them() -> None:
    kept = KeptHistories()
    kept.keep(1, MODEL, history())
    assert not kept.of(1, ModelRef("mine", "b"))
    assert not kept.of(2, MODEL)


def test_short_histories_and_messages_with_files_are_not_kept() -> None:
    kept = KeptHistories()
    kept.keep(1, MODEL, history())
    assert kept.keep(1, MODEL, history(LEAST_MESSAGES - 1)) == history(LEAST_MESSAGES - 1)
    assert not kept.of(1, MODEL)
    kept.keep(1, MODEL, [*history(), *history(1, id=99, parts_json='[{"type": "file"}]')])
    assert kept.of(1, MODEL).keys() == {row.id for row in history()}


def test_the_longest_unused_goes_first() -> None:
    each = LEAST_MESSAGES * (PER_MESSAGE + len("text"))
    kept = KeptHistories(most_chars=2 * each)
    for conversation_id in (1, 2, 1, 3):
        kept.keep(conversation_id, MODEL, history())
    assert [bool(kept.of(conversation_id, MODEL)) for conversation_id in (1, 2, 3)] == [True, False, True]
    # One that is too large for the limit leaves the others alone.
    kept.keep(4, MODEL, history(text="x" * each))
    assert [bool(kept.of(conversation_id, MODEL)) for conversation_id in (1, 3, 4)] == [True, True, False]
