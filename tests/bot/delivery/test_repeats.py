"""Marks of messages that may be repeats."""

from typing import Any

import pytest

from tgllm.bot.delivery.fallbacks import FALLBACK, following, method_of
from tgllm.bot.delivery.repeats import MARKED, mark_of_sent, marked
from tgllm.bot.delivery.resolving import why_not_found_out
from tgllm.bot.delivery.rows import EDIT_OF_PART, PLACEHOLDER
from tgllm.db.tables.outbox import CARD, OutboxRow
from tgllm.services.common.lane import Lane
from tgllm.services.messaging.memory_texts import MEMORY_TEXT

BUTTONS = {"inline_keyboard": [[{"text": "Go", "callback_data": "go"}]]}
SENDS: dict[str, Any] = {"kind": "send", "known_id": 1}
BOLD = {"type": "bold", "offset": 0, "length": 2}


def row_with(payload: dict[str, Any]) -> OutboxRow:
    values: dict[str, Any] = dict.fromkeys(OutboxRow.__dataclass_fields__)
    numbers = {"id": 1, "chat_id": 7, "priority": CARD, "unconfirmed": 0}
    return OutboxRow(**{**values, **numbers, "lane": Lane(7).key, "payload": payload, **SENDS})


def test_a_text_begins_with_the_mark() -> None:
    made = marked({"chat_id": 7, "text": "Hi", "entities": [BOLD], "reply_markup": BUTTONS}, "\U0001f501 again")
    assert made["text"] == "\U0001f501 again\n\nHi"
    # In UTF-16 units.
    assert made["entities"] == [{**BOLD, "offset": 10}]
    assert (made["chat_id"], made["reply_markup"], MARKED in made) == (7, BUTTONS, True)


@pytest.mark.parametrize(
    "content", [{"text": "x" * 4096}, {"document": {"path": "x"}}, {"rich_message": {"blocks": []}}]
)
def test_what_has_no_room_for_the_mark_follows_it(content: dict[str, Any]) -> None:
    made = marked({"chat_id": 7, "message_thread_id": 3, **content, "reply_markup": BUTTONS}, "again")
    assert (made["text"], made["chat_id"], MARKED in made, "reply_markup" in made) == ("again", 7, True, False)
    rest = following(made)
    assert rest is not None
    assert {key: rest[key] for key in content} == content
    assert (rest["chat_id"], rest["message_thread_id"], rest["reply_markup"]) == (7, 3, BUTTONS)
    assert following(rest) is None


def test_the_mark_before_a_file_is_not_looked_for() -> None:
    # The file itself may have arrived, and would be taken for it.
    document = {"chat_id": 7, "document": {"path": "x"}}
    assert why_not_found_out(row_with(document), resolve=True) is None
    assert why_not_found_out(row_with(marked(document, "again")), resolve=True) is not None
    assert why_not_found_out(row_with(marked({"chat_id": 7, "text": "Hi"}, "again")), resolve=True) is None


def test_a_fallback_of_what_follows_stays() -> None:
    rich = {"rich_message": {"blocks": []}, FALLBACK: [{"text": "plain"}]}
    rest = following(marked({"chat_id": 7, **rich}, "again"))
    assert rest is not None
    assert (rest[FALLBACK], method_of(rest)) == ([{"text": "plain"}], "sendRichMessage")


def test_an_edit_becomes_a_message() -> None:
    assert EDIT_OF_PART not in marked({"chat_id": 7, "text": "Hi", EDIT_OF_PART: 0}, "again")


def test_a_sent_text_is_marked_by_an_edit() -> None:
    reply = {"message_id": 3}
    row = row_with({"chat_id": 7, "text": "Hi", "reply_markup": BUTTONS, "reply_parameters": reply})
    made = mark_of_sent(row, 12, "again")
    assert (made.method, made.kind, made.priority) == ("editMessageText", "edit", CARD)
    assert made.payload == {"chat_id": 7, "message_id": 12, "text": "again\n\nHi", "reply_markup": BUTTONS}


@pytest.mark.parametrize("content", [{"document": {"path": "x"}}, {"text": "a secret", MEMORY_TEXT: "name"}])
def test_a_sent_file_is_marked_by_a_reply(content: dict[str, Any]) -> None:
    made = mark_of_sent(row_with({"chat_id": 7, **content}), 12, "again")
    assert (made.method, made.payload["text"], made.priority) == ("sendMessage", "again", CARD)
    reply = made.payload["reply_parameters"]
    assert isinstance(reply, dict)
    assert reply["message_id"] == 12
    # It is not worth a question.
    assert made.payload[PLACEHOLDER]
