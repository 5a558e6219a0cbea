"""Raw updates: where they belong."""

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tgllm.bot.updates.raw import lane_of, to_inbox
from tgllm.services.common.lane import Lane

JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=10,
)


def said(text: str | None, **message: Any) -> dict[str, Any]:
    content = {"message_id": 1, "chat": {"id": 7, "type": "private"}, "from": {"id": 7}, **message}
    return {"update_id": 5, "message": content | ({} if text is None else {"text": text})}


def test_an_update_is_kept_as_it_came() -> None:
    row = to_inbox(said("hi 😀"))
    assert row is not None
    assert (row.update_id, row.lane, row.kind, row.control) == (5, Lane(7).key, "message", False)
    assert json.loads(row.payload) == said("hi 😀")


@pytest.mark.parametrize(
    ("written", "kept"),
    [
        ("/model \ud800", "/model \ufffd"),
        ("\udfff\ud83d", "\ufffd\ufffd"),
        ("\ud83d\ude00", "😀"),
        ("\\ud800", "\\ud800"),
        ("\0 é 😀", "\0 é 😀"),
    ],
)
def test_a_lone_surrogate_is_replaced(written: str, kept: str) -> None:
    row = to_inbox(said(written, caption=written))
    assert row is not None
    assert json.loads(row.payload) == said(kept, caption=kept)
    row.payload.encode()


@pytest.mark.parametrize(
    "raw",
    [
        {},
        {"message": {}},
        {"update_id": "x"},
        {"update_id": -1},
        {"update_id": None},
        {"update_id": True},
        {"update_id": 2**63},
    ],
)
def test_without_an_id_there_is_no_row(raw: dict[str, Any]) -> None:
    assert to_inbox(raw) is None


@given(st.sampled_from(["message", "callback_query", "stopped_message_generation", "strange"]), JSON)
def test_any_content_has_a_lane(kind: str, content: object) -> None:
    row = to_inbox({"update_id": 5, kind: content})
    assert row is not None
    assert row.kind.partition(":")[0] == kind
    assert Lane.parse(row.lane).key == row.lane
    assert json.loads(row.payload)["update_id"] == 5


@pytest.mark.parametrize("wrong", [True, 2**63, -(2**70), "7", None])
def test_what_is_no_id_is_the_id_of_no_lane(wrong: object) -> None:
    topic = {"is_topic_message": True, "message_thread_id": wrong}
    assert lane_of("message", {"chat": {"id": 7}, "from": {"id": 7}, **topic}) == Lane(7)
    assert lane_of("message", {"chat": {"id": wrong}, "from": {"id": 8}}) == Lane(8)
    assert lane_of("message", {"chat": {"id": wrong}, "from": {"id": wrong}}) == Lane(0)


def test_an_update_of_an_unknown_kind_is_kept_too() -> None:
    row = to_inbox({"update_id": 5})
    assert row is not None
    assert (row.kind, row.lane, row.control) == ("unknown", Lane(0).key, False)


@pytest.mark.parametrize(
    ("text", "control"),
    [
        ("/stop", True),
        ("/cancel", True),
        ("/STOP now", True),
        ("/stop\nnow", True),
        ("/stop@demo_bot", True),
        ("/stop@", False),
        ("/stop@demo_bot now", True),
        ("/stopped", False),
        ("stop", False),
        ("please /stop", False),
        ("/", False),
        ("", False),
        (None, False),
    ],
)
def test_only_stops_go_past_the_queue(text: str | None, control: bool) -> None:
    row = to_inbox(said(text))
    assert row is not None
    assert row.control is control


@pytest.mark.parametrize("kind", ["callback_query", "stopped_message_generation"])
def test_buttons_go_past_the_queue(kind: str) -> None:
    chat = {"id": 7, "type": "private"}
    content = {"chat": chat, "from": {"id": 7}, "message": {"message_id": 1, "chat": chat}}
    row = to_inbox({"update_id": 5, kind: content})
    assert row is not None
    assert row.control


@pytest.mark.parametrize(("kind", "control"), [("bot_command", True), ("code", False), ("text_link", False)])
def test_a_stop_in_code_waits_like_any_question(kind: str, control: bool) -> None:
    row = to_inbox(said("/stop now", entities=[{"type": kind, "offset": 0, "length": 5, "url": "u:x"}]))
    assert row is not None
    assert row.control is control


@pytest.mark.parametrize(
    ("data", "control"), [("stop", True), ("history:1", True), ("retry:u1", False), ("reopen:3", False)]
)
def test_presses_that_change_the_conversation_wait_for_its_turn(data: str, control: bool) -> None:
    press = {"data": data, "from": {"id": 7}, "message": {"message_id": 1, "chat": {"id": 7, "type": "private"}}}
    row = to_inbox({"update_id": 5, "callback_query": press})
    assert row is not None
    assert row.control is control


CHAT = {"id": -100, "type": "supergroup"}
ANN = {"id": 7, "is_bot": False, "first_name": "Ann"}
OWN = {"id": 7, "type": "private"}


@pytest.mark.parametrize(
    ("kind", "content", "lane"),
    [
        ("message", {"chat": CHAT, "from": ANN}, Lane(-100)),
        ("message", {"chat": CHAT, "from": ANN, "message_thread_id": 3, "is_topic_message": True}, Lane(-100, 3)),
        ("message", {"chat": CHAT, "from": ANN, "message_thread_id": 3}, Lane(-100)),
        ("message", {"chat": OWN, "from": ANN, "message_thread_id": 3, "is_topic_message": True}, Lane(7, 3)),
        ("stopped_message_generation", {"chat": OWN, "message_thread_id": 3}, Lane(7, 3)),
        ("callback_query", {"from": ANN, "message": {"chat": CHAT}}, Lane(-100)),
        (
            "callback_query",
            {"from": ANN, "message": {"chat": CHAT, "message_thread_id": 3, "is_topic_message": True}},
            Lane(-100, 3),
        ),
        ("message", {"from": ANN}, Lane(7)),
        ("poll", {}, Lane(0)),
        ("message", "text", Lane(0)),
    ],
)
def test_the_lane_is_chat_and_topic(kind: str, content: object, lane: Lane) -> None:
    assert lane_of(kind, content) == lane


@pytest.mark.parametrize(
    "update",
    [
        {"update_id": 5, "message": {"chat": CHAT, "business_connection_id": "\ud800"}},
        {"update_id": 5, "\ud800": {}},
        {"update_id": 5, "message": {"chat": CHAT, "text": "\ud800"}},
    ],
)
def test_half_a_letter_keeps_nothing_from_being_stored(update: dict[str, Any]) -> None:
    row = to_inbox(update)
    assert row is not None
    for text in (row.lane, row.kind, row.payload):
        text.encode()


@pytest.mark.parametrize(
    ("kind", "content", "sender"),
    [
        ("message", {"from": {"id": 7}, "chat": {"id": -5}}, 7),
        ("edited_message", {"from": {"id": 7}, "chat": {"id": 7}}, 7),
        ("callback_query", {"from": {"id": 7}, "message": {"chat": {"id": -5}, "from": {"id": 1}}}, 7),
        ("my_chat_member", {"from": {"id": 7}, "chat": {"id": -5}}, 7),
        ("stopped_message_generation", {"chat": {"id": 7, "type": "private"}}, 7),
        ("stopped_message_generation", {"chat": {"id": 7}}, None),
        ("message", {"chat": {"id": -5}}, None),
        ("message", {"from": "x"}, None),
        ("message", None, None),
    ],
)
def test_the_sender_is_read_from_each_kind(kind: str, content: object, sender: int | None) -> None:
    stored = to_inbox({"update_id": 1, kind: content})
    assert stored is not None
    assert stored.sender_id == sender
