"""The two ways of showing a growing answer."""

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, cast

import pytest
from aiogram.methods.base import TelegramMethod

from tgllm.bot.delivery.rows import EDIT_OF_PART, PLACEHOLDER
from tgllm.bot.rendering.payloads import EntityText
from tgllm.bot.rendering.render import render
from tgllm.bot.streaming.displays import DraftDisplay, EditDisplay, draft_id_of
from tgllm.db.tables.outbox import NewOutbox
from tgllm.services.common.lane import Lane

if TYPE_CHECKING:
    from aiogram import Bot
    from aiogram.methods import EditMessageText, SendMessageDraft

    from tgllm.bot.delivery.sender import Sender

TOPIC = Lane(-100, 3)


@dataclass
class Calls:
    """Stands for the bot and for the sender."""

    methods: list[TelegramMethod[Any]] = field(default_factory=list)
    posted: list[NewOutbox] = field(default_factory=list)
    message_id: int | None = 55
    thinking: str = "Thinking..."

    async def __call__(self, method: TelegramMethod[Any]) -> None:
        self.methods.append(method)

    async def post_and_wait(self, row: NewOutbox) -> int | None:
        self.posted.append(row)
        return self.message_id


@pytest.fixture
def calls() -> Calls:
    return Calls()


@pytest.fixture
def draft(calls: Calls) -> DraftDisplay:
    return DraftDisplay(cast("Bot", calls), Lane(7), "u1", 9)


@pytest.fixture
def edit(calls: Calls) -> EditDisplay:
    bot, sender = cast("Bot", calls), cast("Sender", calls)
    return EditDisplay(bot, sender, TOPIC, "u1", reply_to=8, thinking=lambda: calls.thinking, stop="Stop")


@pytest.mark.parametrize("update_id", [0, 1, 2**31 - 2, 2**31 - 1, 2**31, 2**63])
def test_ids_of_drafts_are_those_that_telegram_takes(update_id: int) -> None:
    assert 0 < draft_id_of(update_id) < 2**31


async def test_a_draft_grows_under_one_id(draft: DraftDisplay, calls: Calls) -> None:
    await draft.show(EntityText(""))
    await draft.show(EntityText("a"))
    first, second = (cast("SendMessageDraft", method) for method in calls.methods)
    assert (first.chat_id, first.draft_id, first.text, first.can_stop) == (7, 9, "", True)
    assert (second.draft_id, second.text) == (9, "a")


def test_the_answer_after_a_draft_is_a_message(draft: DraftDisplay) -> None:
    (row,) = draft.finish([EntityText("Fine.")])
    assert (row.method, row.turn_id, row.part, row.payload["text"]) == ("sendMessage", "u1", 0, "Fine.")


async def test_a_group_gets_one_placeholder_and_then_edits(edit: EditDisplay, calls: Calls) -> None:
    await edit.show(EntityText(""))
    await edit.show(EntityText("a"))
    await edit.show(EntityText("a"))
    await edit.show(EntityText("ab"))
    assert [(row.part, row.payload["text"], row.payload[PLACEHOLDER]) for row in calls.posted] == [
        (0, "Thinking...", True)
    ]
    edits = [cast("EditMessageText", method) for method in calls.methods]
    assert [(method.message_id, method.text) for method in edits] == [(55, "a"), (55, "ab")]
    assert all(method.reply_markup is not None for method in edits)


async def test_what_a_group_is_told_while_there_is_no_answer_may_be_another(edit: EditDisplay, calls: Calls) -> None:
    await edit.show(EntityText(""))
    calls.thinking = "Thinking... (20 s)"
    await edit.show(EntityText(""))
    await edit.show(EntityText(""))
    assert [cast("EditMessageText", method).text for method in calls.methods] == ["Thinking... (20 s)"]


async def test_without_a_placeholder_nothing_is_edited(edit: EditDisplay, calls: Calls) -> None:
    calls.message_id = None
    await edit.show(EntityText("a"))
    assert calls.methods == []


def test_the_answer_is_the_last_edit(edit: EditDisplay) -> None:
    (row,) = edit.finish([EntityText("Fine.")])
    assert (row.method, row.part, row.payload[EDIT_OF_PART], row.payload["text"]) == ("editMessageText", 1, 0, "Fine.")


def test_a_long_answer_goes_on_in_messages_of_its_own(edit: EditDisplay) -> None:
    rows = edit.finish(render("word " * 2000))
    assert [row.method for row in rows] == ["editMessageText"] + ["sendMessage"] * (len(rows) - 1)
    assert [row.part for row in rows] == list(range(1, len(rows) + 1))
    assert len(rows) > 2
