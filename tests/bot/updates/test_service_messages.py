"""Service messages are no talk: they get no answer, nothing of them is stored, and a reply to one is none."""

import json
from typing import Any

import pytest

from tgllm.bot.updates.contents import CONTENT
from tgllm.bot.updates.raw import to_inbox
from tgllm.bot.updates.service_messages import is_service, without_service_reply
from tgllm.db.tables.inbox import NewUpdate

ANN = {"id": 7, "is_bot": False, "first_name": "Ann"}
BOT = {"id": 42, "is_bot": True, "first_name": "Bot", "username": "demo_bot"}
TEAM = {"id": -100, "type": "supergroup", "title": "Team", "is_forum": True}
BARE: dict[str, Any] = {"message_id": 9, "chat": TEAM, "from": ANN, "date": 1}
CREATED = {**BARE, "message_id": 3, "from": BOT, "forum_topic_created": {"name": "One", "icon_color": 1}}
SILENT = sorted(name for name, treatment in CONTENT.items() if treatment == "silent")
TALK = sorted(name for name, treatment in CONTENT.items() if treatment == "talk")


def row_of(message: dict[str, Any], kind: str = "message") -> NewUpdate:
    row = to_inbox({"update_id": 5, kind: message})
    assert row is not None
    return row


@pytest.mark.parametrize("kind", ["message", "edited_message"])
@pytest.mark.parametrize("name", [*SILENT, "brand_new_thing"])
def test_a_service_message_is_not_handled_and_not_stored(name: str, kind: str) -> None:
    row = row_of({**BARE, name: {"secret": "x"}}, kind)
    assert (row.kind, json.loads(row.payload)) == (f"{kind}:service", {"update_id": 5})


@pytest.mark.parametrize("name", TALK)
def test_talk_is_handled_whatever_stands_beside_it(name: str) -> None:
    assert row_of({**BARE, name: "x", "brand_new_thing": {"a": 1}}).kind == "message"


@pytest.mark.parametrize("name", ["migrate_to_chat_id", "migrate_from_chat_id"])
def test_the_upgrade_of_a_group_is_acted_on(name: str) -> None:
    assert row_of({**BARE, name: -200}).kind == "message"


@pytest.mark.parametrize("content", [{}, {"date": 1, "has_protected_content": True}, {"brand_new_thing": False}])
def test_without_any_content_it_is_unclear_what_was_sent(content: dict[str, Any]) -> None:
    assert not is_service({**BARE, **content})


@pytest.mark.parametrize(
    ("replied", "fields"),
    [
        (CREATED, {"message_thread_id": 3, "is_topic_message": True}),
        ({**BARE, "message_id": 3, "from": BOT, "text": "x"}, {"message_thread_id": 3, "is_topic_message": True}),
        ({**BARE, "from": BOT, "pinned_message": {"message_id": 1}}, {}),
        ({**BARE, "from": BOT, "brand_new_thing": {}}, {}),
    ],
)
@pytest.mark.parametrize("kind", ["message", "edited_message"])
def test_a_reply_to_a_service_message_is_none(replied: dict[str, Any], fields: dict[str, Any], kind: str) -> None:
    message = {**BARE, "text": "hi", **fields}
    row = row_of({**message, "reply_to_message": replied}, kind)
    assert json.loads(row.payload)[kind] == message


@pytest.mark.parametrize(
    ("replied", "fields"),
    [
        ({**BARE, "message_id": 4, "from": BOT, "text": "x"}, {"message_thread_id": 3, "is_topic_message": True}),
        ({**BARE, "message_id": 3, "from": BOT, "text": "x"}, {"message_thread_id": 3}),
        ({**BARE, "from": BOT, "document": {"file_id": "f"}}, {}),
        ({**BARE, "from": BOT}, {}),
    ],
)
def test_other_replies_stay(replied: dict[str, Any], fields: dict[str, Any]) -> None:
    message = {**BARE, "text": "hi", **fields, "reply_to_message": replied}
    assert without_service_reply(message) == message
