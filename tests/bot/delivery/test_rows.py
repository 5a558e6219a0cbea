"""Outbox rows for messages, and the calls that are made of them."""

from dataclasses import replace
from pathlib import Path

import pytest
from pydantic import ValidationError

from tgllm.bot.delivery.calls import RawEditText, RawSendMessage, call_of, edit_call, new_message_instead
from tgllm.bot.delivery.fallbacks import following, stepped_down
from tgllm.bot.delivery.rows import (
    EDIT_OF_PART,
    PLACEHOLDER,
    answer_rows,
    buttons,
    document_row,
    edit_of_part,
    message_rows,
    placeholder_row,
)
from tgllm.bot.rendering.payloads import EntityText, RichMessage
from tgllm.bot.rendering.split import utf16_length
from tgllm.services.common.lane import Lane

LANE = Lane(7)
TOPIC = Lane(-100, 3, "business")


def test_a_short_text_is_one_message() -> None:
    (row,) = message_rows(LANE, "Hi")
    assert (row.lane, row.method, row.kind, row.chat_id, row.part, row.turn_id) == (
        LANE.key,
        "sendMessage",
        "send",
        7,
        0,
        None,
    )
    assert row.payload["text"] == "Hi"
    assert row.payload["link_preview_options"] == {"is_disabled": True}
    assert "reply_parameters" not in row.payload


def test_a_long_text_is_several_with_the_reply_first_and_the_buttons_last() -> None:
    markup = buttons([[("A", "a"), ("B", "b")], [("C", "c")]])
    rows = message_rows(LANE, "😀 word " * 2000, turn_id="u1", first_part=2, reply_to=9, reply_markup=markup)
    assert len(rows) > 2
    assert [row.part for row in rows] == list(range(2, 2 + len(rows)))
    assert all(utf16_length(str(row.payload["text"])) <= 4096 for row in rows)
    assert ["reply_parameters" in row.payload for row in rows] == [True] + [False] * (len(rows) - 1)
    assert ["reply_markup" in row.payload for row in rows] == [False] * (len(rows) - 1) + [True]


def test_no_row_comes_of_an_empty_text() -> None:
    assert message_rows(LANE, " \n") == []


def test_a_message_goes_to_its_topic_and_through_its_business_account() -> None:
    (row,) = message_rows(TOPIC, "Hi")
    assert (row.chat_id, row.thread_id) == (-100, 3)
    call = call_of(row.method, row.payload)
    assert isinstance(call, RawSendMessage)
    assert (call.chat_id, call.message_thread_id, call.business_connection_id) == (-100, 3, "business")


@pytest.mark.parametrize(
    ("lane", "place"),
    [
        (Lane(-100), {}),
        (Lane(-100, 3), {"message_thread_id": 3}),
        (Lane(-100, direct_topic_id=5), {"direct_messages_topic_id": 5}),
        (Lane(-100, ephemeral_user_id=9), {"ephemeral_message_parameters": {"receiver_user_id": 9}}),
    ],
)
def test_every_new_message_goes_to_the_people_of_its_lane_alone(
    lane: Lane, place: dict[str, object], tmp_path: Path
) -> None:
    file = tmp_path / "x"
    file.write_text("x")
    names = {"message_thread_id", "direct_messages_topic_id", "ephemeral_message_parameters"}
    edit = edit_of_part(lane, EntityText("Fine."), turn_id="u1", part=1, edited_part=0, reply_to=9)
    rich = answer_rows(lane, [RichMessage([{"type": "paragraph", "text": "x"}], (EntityText("1"), EntityText("2")))])[0]
    first = stepped_down(rich.payload)
    assert first is not None
    second = following(first)
    assert second is not None
    (text,) = message_rows(lane, "Hi")
    calls = [
        call_of(text.method, text.payload),
        call_of(rich.method, rich.payload),
        call_of("sendMessage", first),
        call_of("sendMessage", second),
        call_of("sendDocument", document_row(lane, {"document": {"path": str(file), "name": "x"}}).payload),
        new_message_instead(edit.payload),
    ]
    for call in calls:
        sent = call.model_dump(exclude_none=True)
        assert {name: sent[name] for name in names & sent.keys()} == place
        assert not call.model_extra
    assert not names & edit_call(edit.payload, 55).model_dump(exclude_none=True).keys()


def test_a_message_call_has_what_its_row_has() -> None:
    (row,) = message_rows(LANE, "Hi", reply_to=9, reply_markup=buttons([[("A", "a")]]))
    call = call_of(row.method, row.payload)
    assert isinstance(call, RawSendMessage)
    assert call.reply_parameters is not None
    assert call.reply_parameters == {"message_id": 9, "allow_sending_without_reply": True}
    assert call.reply_markup == {"inline_keyboard": [[{"text": "A", "callback_data": "a"}]]}


def test_a_placeholder_is_an_ordinary_message_that_is_marked() -> None:
    row = placeholder_row(TOPIC, "Thinking...", turn_id="u1", reply_to=9, reply_markup=buttons([[("Stop", "stop")]]))
    assert (row.turn_id, row.part, row.payload[PLACEHOLDER]) == ("u1", 0, True)
    call = call_of(row.method, row.payload)
    assert isinstance(call, RawSendMessage)
    assert PLACEHOLDER not in (call.model_extra or {})


def test_an_edit_names_the_part_whose_message_it_changes() -> None:
    row = edit_of_part(TOPIC, EntityText("Fine."), turn_id="u1", part=1, edited_part=0, reply_to=9)
    assert (row.kind, row.method, row.part, row.payload[EDIT_OF_PART]) == ("edit", "editMessageText", 1, 0)
    call = edit_call(row.payload, 55)
    assert isinstance(call, RawEditText)
    assert (call.chat_id, call.message_id, call.text, call.reply_markup) == (-100, 55, "Fine.", None)
    assert call.business_connection_id == "business"
    assert not call.model_extra


def test_without_its_message_an_edit_becomes_a_new_one() -> None:
    row = edit_of_part(TOPIC, EntityText("Fine."), turn_id="u1", part=1, edited_part=0, reply_to=9)
    call = new_message_instead(row.payload)
    assert isinstance(call, RawSendMessage)
    assert (call.chat_id, call.message_thread_id, call.text) == (-100, 3, "Fine.")
    assert call.reply_parameters is not None
    assert not call.model_extra


@pytest.mark.parametrize("method", ["sendMessage", "editMessageText", "deleteMessage", "setMessageReaction"])
def test_the_methods_of_rows_are_known(method: str) -> None:
    payload = {"chat_id": 7, "text": "x", "message_id": 5}
    assert call_of(method, payload).__api_method__ == method


def test_a_method_that_is_not_sent_is_refused() -> None:
    with pytest.raises(KeyError):
        call_of("banChatMember", {})


def test_parameters_that_do_not_fit_are_refused() -> None:
    (row,) = message_rows(LANE, "Hi")
    with pytest.raises(ValidationError):
        call_of(row.method, replace(row, payload={"chat_id": 7}).payload)
