"""Rich messages that people send, forward or reply to."""

from typing import Any

import pytest
from aiogram.types import Update

from bot_support import Start
from tgllm.bot.updates.formats.markdown import markdown_of
from tgllm.bot.updates.formats.written import read_written, written_in
from tgllm.bot.updates.rich_text import without_rich_messages
from tgllm.testing.emulator import Emulator
from tgllm.testing.emulator.users import EmulatedUser

BLOCKS = [
    {"type": "heading", "size": 1, "text": "Plan"},
    {"type": "paragraph", "text": ["Some ", {"type": "bold", "text": ["bold ", {"type": "code", "text": "x"}]}, "."]},
    {"type": "list", "items": [{"label": "1.", "blocks": [{"type": "paragraph", "text": "one"}]}]},
    {"type": "table", "cells": [[{"text": "a"}, {"text": "b"}], [{"text": "1"}, {}]]},
    {"type": "details", "summary": "More", "blocks": [{"type": "mathematical_expression", "expression": "x^2"}]},
    {"type": "divider"},
    {"type": "of_tomorrow", "text": "new"},
]
TEXT = "Plan\nSome bold x.\n1. one\n| a | b |\n|---|---|\n| 1 |  |\nMore\nx^2\nnew"
MARKDOWN = "# Plan\nSome **bold `x`**.\n1. one\n| a | b |\n|---|---|\n| 1 |  |\nMore\n$x^2$\nnew"


def nested(levels: int) -> Any:
    text: Any = "deep"
    for level in range(levels):
        text = ["a ", {"type": "italic" if level % 2 else "bold", "text": text}]
    return text


def paragraph(*texts: Any) -> dict[str, Any]:
    return {"type": "paragraph", "text": list(texts)}


def message(person: int, **content: Any) -> dict[str, Any]:
    sender = {"id": person, "is_bot": False, "first_name": "Ann", "language_code": "en"}
    return {"message_id": 5, "date": 0, "chat": {"id": person, "type": "private"}, "from": sender} | content


def test_a_rich_message_becomes_its_text() -> None:
    update = {"update_id": 1, "message": message(7, rich_message={"blocks": BLOCKS})}
    read = without_rich_messages(update)["message"]
    entities = read.pop("entities")
    assert read == message(7, text=TEXT)
    assert markdown_of(read_written(TEXT, entities)) == MARKDOWN


@pytest.mark.parametrize(
    ("blocks", "expected"),
    [
        ([paragraph({"type": "url", "text": "\U0001f389 this", "url": "u:x"}, "!")], "[\U0001f389 this](u:x)!"),
        ([paragraph("H", {"type": "subscript", "text": "2"}, "O")], "H<sub>2</sub>O"),
        ([paragraph(" a ", {"type": "spoiler", "text": "b"}, " ")], "a ||b||"),
        ([{"type": "pre", "text": "if x:\n    y\n\nz", "language": "py"}], "```py\nif x:\n    y\n\nz\n```"),
        ([{"type": "blockquote", "blocks": [paragraph("a"), paragraph("b")]}, paragraph("c")], "> a\n> b\n\nc"),
        ([{"type": "expandable_blockquote", "text": "a"}], "> a"),
        ([{"type": "list", "items": [{"label": "•", "has_checkbox": True, "blocks": [paragraph("a")]}]}], "• [ ] a"),
        ([paragraph({"type": "date_time", "text": "now", "unix_time": 0})], "now (1970-01-01 00:00 UTC)"),
        ([{"type": "heading", "size": 9, "text": "a"}], "**a**"),
        ([paragraph({"type": "url", "text": "a", "url": 5})], "a"),
    ],
)
def test_its_formats_read_as_those_of_other_messages(blocks: list[Any], expected: str) -> None:
    update = {"update_id": 1, "message": message(7, rich_message={"blocks": blocks})}
    assert markdown_of(written_in(without_rich_messages(update)["message"])) == expected


async def test_a_rich_message_mentions_the_bot(emu: Emulator, ann: EmulatedUser, start: Start) -> None:
    group = emu.add_group(title="Team", members=[ann])
    rich = {"blocks": [paragraph({"type": "mention", "text": "@demo_bot", "username": "demo_bot"}, " hi")]}
    async with start():
        fields = {"rich_message": rich, "chat": {"id": group.id, "type": "supergroup", "title": "Team"}}
        emu.inject_update({"message": message(ann.id, **fields)})
        answer = await emu.wait_for_message(group, lambda message: message.from_bot and "hi" in message.text)
    assert answer.text == "Ann: hi"


def test_so_does_the_one_that_is_replied_to() -> None:
    replied = message(7, rich_message={"blocks": BLOCKS})
    update = {"update_id": 1, "message": message(7, text="why?", reply_to_message=replied)}
    read = Update.model_validate(without_rich_messages(update))
    assert read.message is not None
    assert read.message.reply_to_message is not None
    assert (read.message.text, read.message.reply_to_message.text) == ("why?", TEXT)


def test_other_updates_stay_as_they_are() -> None:
    update = {"update_id": 1, "message": message(7, text="hi", entities=[{"type": "bold", "offset": 0, "length": 2}])}
    assert without_rich_messages(update) == {
        "update_id": 1,
        "message": message(7, text="hi", entities=[{"type": "bold", "offset": 0, "length": 2}]),
    }


def test_odd_rich_messages_do_no_harm() -> None:
    for odd in (None, 5, [], {"blocks": None}, {"blocks": [None, [[]]]}, {"blocks": nested(500)}):
        update = {"message": message(7, rich_message=odd)}
        assert isinstance(without_rich_messages(update)["message"]["text"], str)


async def test_formats_within_formats_do_not_stop_the_bot(emu: Emulator, ann: EmulatedUser, start: Start) -> None:
    rich = {"blocks": [{"type": "paragraph", "text": nested(40)}]}
    async with start():
        await ann.say("first")
        emu.inject_update({"message": message(ann.id, rich_message=rich)})
        answer = await emu.wait_for_message(
            ann.private_chat(), lambda message: message.from_bot and "deep" in message.text
        )
    assert answer.text == "a " * 40 + "deep"
