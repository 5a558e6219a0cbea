"""Places of updates: whoever shares a lane sees the same messages, and an answer is seen by nobody else."""

import json
from collections.abc import Mapping
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tgllm.bot.delivery.rows import message_rows
from tgllm.bot.updates.fields import CALLBACK_QUERY, MESSAGE, UPDATE, unknown_restriction
from tgllm.bot.updates.places import place_of
from tgllm.bot.updates.raw import ALLOWED_UPDATES, to_inbox
from tgllm.db.tables.inbox import NewUpdate
from tgllm.services.common.lane import Lane

ANN, BOB = ({"id": number, "is_bot": False, "first_name": name} for number, name in ((7, "Ann"), (8, "Bob")))
TEAM = {"id": -100, "type": "supergroup", "title": "Team"}
BOT = {"id": 42, "is_bot": True, "first_name": "Bot"}
Audience = tuple[object, ...]

PEOPLE = st.sampled_from([ANN, BOB])
CHATS = st.fixed_dictionaries(
    {"id": st.sampled_from([7, 8, -100, -200]), "type": st.sampled_from(["private", "group", "supergroup", "new"])},
    optional={"is_direct_messages": st.booleans(), "is_forum": st.booleans()},
)
MESSAGES = st.fixed_dictionaries(
    {"message_id": st.sampled_from([0, 1, 2]), "chat": CHATS, "from": PEOPLE, "text": st.just("hi")},
    optional={
        "message_thread_id": st.sampled_from([3, 4]),
        "is_topic_message": st.booleans(),
        "direct_messages_topic": st.fixed_dictionaries({"topic_id": st.sampled_from([3, 4]), "user": PEOPLE}),
        "ephemeral_message_id": st.sampled_from([1, 2]),
        "receiver_user": PEOPLE,
    },
)


def audience(message: Mapping[str, Any], reader: Mapping[str, Any]) -> Audience:
    """Those who can read a message, as Telegram shows it; ``reader`` is whoever acts on it."""
    chat = message["chat"]
    if message["message_id"] == 0 or "ephemeral_message_id" in message or "receiver_user" in message:
        return ("only", reader["id"], chat["id"])
    if "direct_messages_topic" in message:
        return ("topic", chat["id"], message["direct_messages_topic"]["topic_id"])
    return ("chat", chat["id"])


def reached(lane: Lane) -> Audience:
    """Those who can read a message that the bot sends to a lane."""
    (row,) = message_rows(lane, "hi")
    payload = row.payload
    if "ephemeral_message_parameters" in payload:
        return ("only", payload["ephemeral_message_parameters"]["receiver_user_id"], payload["chat_id"])
    if "direct_messages_topic_id" in payload:
        return ("topic", payload["chat_id"], payload["direct_messages_topic_id"])
    return ("chat", payload["chat_id"])


@given(MESSAGES)
def test_an_answer_reaches_those_who_see_the_question(message: dict[str, Any]) -> None:
    place = place_of("message", message)
    if not place.closed:
        assert reached(place.lane) == audience(message, message["from"])
        assert message["chat"]["id"] in {-100, -200, message["from"]["id"]}


@given(MESSAGES, PEOPLE)
def test_a_press_is_answered_to_those_who_see_the_button(message: dict[str, Any], presser: dict[str, Any]) -> None:
    place = place_of("callback_query", {"id": "1", "from": presser, "message": {**message, "from": BOT}})
    if not place.closed:
        assert reached(place.lane) == audience(message, presser)
        assert message["chat"]["id"] in {-100, -200, presser["id"]}


@given(MESSAGES, MESSAGES)
def test_messages_with_other_readers_have_other_lanes(one: dict[str, Any], other: dict[str, Any]) -> None:
    places = place_of("message", one), place_of("edited_message", other)
    if not any(place.closed for place in places) and places[0].lane == places[1].lane:
        assert audience(one, one["from"]) == audience(other, other["from"])


@given(MESSAGES)
def test_a_message_and_the_button_below_its_answer_share_a_lane(message: dict[str, Any]) -> None:
    asked = place_of("message", message)
    pressed = place_of("callback_query", {"id": "1", "from": message["from"], "message": {**message, "from": BOT}})
    assert asked == pressed


SECRET = {"message_id": 1, "chat": TEAM, "from": ANN, "text": "secret"}


def row_of(kind: str, content: object, **others: object) -> NewUpdate:
    row = to_inbox({"update_id": 5, kind: content, **others})
    assert row is not None
    return row


@pytest.mark.parametrize("kind", ["message", "edited_message"])
@pytest.mark.parametrize(
    "name", [name for name, treatment in MESSAGE.items() if treatment in {"closed", "sender"} and name != "from"]
)
@pytest.mark.parametrize("value", [True, 1, "x", "", {}, {"id": 1}, []])
def test_what_is_closed_is_not_stored(kind: str, name: str, value: object) -> None:
    row = row_of(kind, {**SECRET, name: value})
    assert json.loads(row.payload) == {"update_id": 5}
    assert row.kind not in ALLOWED_UPDATES
    assert (row.control, Lane.parse(row.lane)) == (False, Lane(0))


@pytest.mark.parametrize("kind", [kind for kind, treatment in UPDATE.items() if treatment == "closed"] + ["brand_new"])
def test_kinds_that_are_not_requested_are_not_stored(kind: str) -> None:
    row = row_of(kind, SECRET)
    assert (row.kind, json.loads(row.payload)) == (kind, {"update_id": 5})


@pytest.mark.parametrize(
    "command", [{"text": "/stop"}, {"text": "/stop", "ephemeral_message_id": 1}, {"text": "/stop", "message_id": 0}]
)
def test_an_ephemeral_stop_stops_nothing_of_others(command: dict[str, Any]) -> None:
    row = row_of("message", {**SECRET, **command})
    assert (Lane.parse(row.lane) == Lane(-100)) == (command == {"text": "/stop"})


@pytest.mark.parametrize("name", ["sender_chat", "is_automatic_forward"])
def test_the_upgrade_of_a_group_is_told_in_the_name_of_the_group(name: str) -> None:
    row = row_of("message", {**SECRET, name: TEAM, "migrate_to_chat_id": -200})
    assert (row.kind, Lane.parse(row.lane)) == ("message", Lane(-100))
    row = row_of("message", {**SECRET, name: TEAM, "migrate_to_chat_id": -200, "business_connection_id": "b"})
    assert row.kind == "message:foreign"


@pytest.mark.parametrize(
    "chat",
    [{"id": 7, "type": "supergroup"}, {"id": -7, "type": "private"}, {"id": 8, "type": "private"}, TEAM],
)
def test_a_stopped_draft_is_that_of_a_private_chat(chat: dict[str, Any]) -> None:
    row = row_of("stopped_message_generation", {"chat": chat, "draft_id": 1})
    assert row.control == (chat == {"id": 8, "type": "private"})


@pytest.mark.parametrize(
    ("kind", "name", "value", "restricts"),
    [
        ("Message", "visible_to", [1], True),
        ("Message", "ephemeral_thing", {"id": 1}, True),
        ("Message", "story_topic_id", 3, True),
        ("Message", "is_secret", True, True),
        ("Message", "is_secret", False, False),
        ("Message", "visible_to", None, False),
        ("Message", "is_funny", True, False),
        ("Message", "mood", "happy", False),
        ("Chat", "is_club", True, True),
        ("Chat", "is_club", False, False),
        ("Chat", "mood", "happy", False),
        ("CallbackQuery", "guest_id", "1", True),
        ("CallbackQuery", "mood", "happy", False),
        ("Update", "business_thing", {}, True),
        ("Update", "mood", "happy", False),
    ],
)
def test_fields_of_later_versions(kind: str, name: str, value: object, restricts: bool) -> None:
    assert unknown_restriction(kind, {name: value}) == (name if restricts else None)


def test_known_fields_restrict_nothing_by_their_name() -> None:
    assert unknown_restriction("Message", dict.fromkeys(MESSAGE, 1)) is None
    assert unknown_restriction("CallbackQuery", dict.fromkeys(CALLBACK_QUERY, 1)) is None


def test_the_bot_requests_what_it_handles() -> None:
    handled = ("message", "edited_message", "callback_query", "my_chat_member", "stopped_message_generation")
    assert sorted(ALLOWED_UPDATES) == sorted(handled)
