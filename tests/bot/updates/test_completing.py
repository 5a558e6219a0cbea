"""Updates of other Bot API servers, which leave out fields or use values that aiogram does not know."""

import json
from typing import Any

import pytest
from aiogram import Bot
from pydantic import ValidationError

from tgllm.bot.updates.parsing import parse_update

PERSON = {"id": 7, "first_name": "Ann", "is_bot": False}
CHAT = {"id": 7, "type": "private"}
MESSAGE = {"message_id": 3, "date": 1_700_000_000, "chat": CHAT, "from": PERSON, "text": "hello"}


def parsed(**content: Any) -> Any:
    return parse_update(json.dumps({"update_id": 1, **content}), Bot("42:TEST"))


@pytest.mark.parametrize("field", ["first_name", "is_bot"])
def test_a_person_without(field: str) -> None:
    person = {name: value for name, value in PERSON.items() if name != field}
    message = parsed(message={**MESSAGE, "from": person}).message

    assert (message.from_user.id, message.text) == (7, "hello")


@pytest.mark.parametrize(("chat_id", "kind"), [(7, "private"), (-1007, "supergroup")])
def test_a_chat_without_its_type(chat_id: int, kind: str) -> None:
    assert parsed(message={**MESSAGE, "chat": {"id": chat_id}}).message.chat.type == kind


def test_a_press_with_little_of_its_message() -> None:
    """As telegram-test-api sends it."""
    press = {"id": "5", "from": {"id": 7}, "message": {"chat": {"id": 7}, "from": {"id": 7}}, "data": "a:b"}
    found = parsed(callback_query=press).callback_query

    assert (found.data, found.from_user.id, found.message.chat.id) == ("a:b", 7, 7)


@pytest.mark.parametrize(
    "added",
    [
        {"forward_origin": {"type": "from_the_moon", "date": 0}},
        {"reply_markup": {"inline_keyboard": [[{"new": 1}]]}},
        {"via_bot": {"new": 5}},
        {"new_field": {"of": ["any", "form"]}},
        {"reply_to_message": {**MESSAGE, "forward_origin": {"type": "new"}}},
        {"new_chat_photo": [{"a": 1}, 5]},
    ],
)
def test_what_is_beside_the_text_does_not_keep_it_from_being_read(added: dict[str, Any]) -> None:
    message = parsed(message={**MESSAGE, **added}).message

    assert message.text == "hello"
    if "reply_to_message" in added:
        assert message.reply_to_message.text == "hello"


def test_a_document_with_its_id_alone() -> None:
    assert parsed(message={**MESSAGE, "document": {"file_id": "f"}}).message.document.file_id == "f"


@pytest.mark.parametrize(
    "message",
    [
        {**MESSAGE, "text": 5},
        {**MESSAGE, "chat": 5},
        {**MESSAGE, "photo": [5]},
        {**MESSAGE, "document": {"file_name": "x"}},
    ],
)
def test_what_it_is_about_is_not_left_out(message: dict[str, Any]) -> None:
    with pytest.raises(ValidationError):
        parsed(message=message)
