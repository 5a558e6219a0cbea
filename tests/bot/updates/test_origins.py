"""A forwarded message is read wherever it comes from."""

from typing import Any

import pytest
from aiogram.types import Message

from tgllm.bot.updates.origins import with_readable_origins

USER = {"id": 5, "is_bot": False, "first_name": "Bo"}
CHAT = {"id": -5, "type": "group", "title": "Team"}
MESSAGE: dict[str, Any] = {"message_id": 1, "date": 1, "chat": CHAT, "from": USER, "text": "hi"}
HIDDEN = {"type": "hidden_user", "date": 1, "sender_user_name": ""}
READABLE: list[dict[str, Any]] = [
    {"type": "user", "date": 1, "sender_user": {**USER, "first_name": ""}},
    HIDDEN,
    {"type": "chat", "date": 1, "sender_chat": CHAT, "author_signature": "Bo"},
    {"type": "channel", "date": 1, "chat": CHAT, "message_id": 4},
]
UNREADABLE: list[Any] = [
    {},
    {"type": "hidden_user", "date": 1},
    {"type": "hidden_user", "date": 1, "sender_user_name": None},
    {"type": "hidden_user", "sender_user_name": ""},
    {"type": "user", "date": 1},
    {"type": "user", "date": 1, "sender_user": {"id": 5}},
    {"type": "chat", "date": 1, "sender_chat": {}},
    {"type": "channel", "date": 1, "chat": CHAT},
    {"type": "community", "date": 1, "community": {"id": 5}},
    {"type": ["user"], "date": 1},
    "Bo",
    ["Bo"],
    5,
]


def places_of(origin: object) -> list[dict[str, Any]]:
    """Messages with the origin at each of its places."""
    return [
        {**MESSAGE, "forward_origin": origin},
        {**MESSAGE, "reply_to_message": {**MESSAGE, "forward_origin": origin}},
        {**MESSAGE, "external_reply": {"origin": origin}},
    ]


@pytest.mark.parametrize("origin", READABLE)
def test_a_readable_origin_stays(origin: dict[str, Any]) -> None:
    for message in places_of(origin):
        assert with_readable_origins(message) is message
        Message.model_validate(message)


@pytest.mark.parametrize("origin", UNREADABLE)
def test_any_other_origin_can_be_read_afterwards(origin: object) -> None:
    for message in places_of(origin):
        mended = with_readable_origins(message)
        Message.model_validate(mended)
        assert mended != message
        assert mended.keys() == message.keys()


@pytest.mark.parametrize("message", [MESSAGE, {**MESSAGE, "forward_origin": None}, {}, {"reply_to_message": 5}])
def test_other_messages_stay(message: dict[str, Any]) -> None:
    assert with_readable_origins(message) is message


def test_the_name_of_a_hidden_user_is_kept() -> None:
    mended = with_readable_origins({"forward_origin": {"type": "new", "sender_user_name": "Bo"}})
    assert mended["forward_origin"] == {"type": "hidden_user", "date": 0, "sender_user_name": "Bo"}
