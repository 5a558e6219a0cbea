"""Whether a message in a group is meant for the bot."""

from types import SimpleNamespace
from typing import Any, cast

import pytest
from aiogram.types import Message

from tgllm.api import ChatInfo
from tgllm.bot.scope import UpdateScope
from tgllm.bot.turns.addressing import is_addressed, question_of

BOT_ID = 42
PEER = {"id": 9, "is_bot": False, "first_name": "Ben"}
BOT = {"id": BOT_ID, "is_bot": True, "first_name": "Bot"}


def scope_in(kind: str) -> UpdateScope:
    parts = SimpleNamespace(username="Demo_bot", bot_id=BOT_ID)
    return cast("UpdateScope", SimpleNamespace(parts=parts, chat=ChatInfo(-100, cast("Any", kind))))


def message(text: str | None = None, reply_to: dict[str, Any] | None = None, **more: Any) -> Message:
    chat = {"id": -100, "type": "supergroup", "title": "Team"}
    content: dict[str, Any] = {"message_id": 2, "date": 0, "chat": chat, "from": PEER, "text": text, **more}
    if reply_to is not None:
        content["reply_to_message"] = {"message_id": 1, "date": 0, "chat": chat, "from": reply_to, "text": "before"}
    return Message.model_validate(content)


@pytest.mark.parametrize(
    ("text", "question"),
    [
        ("@demo_bot what is up?", "what is up?"),
        ("@DEMO_BOT: what is up?", "what is up?"),
        ("what is up, @demo_bot", "what is up"),
        ("what is up, @demo_bot?", "what is up?"),
        ("what is up @demo_bot!", "what is up!"),
        ("tell me, @demo_bot, what is up", "tell me, what is up"),
        ("(@demo_bot)", "(@demo_bot)"),
        ("is @demo_bot's answer right?", "is @demo_bot's answer right?"),
        ("@demo_bot @demo_bot hi", "hi"),
        ("hey @demo_bot @demo_bot you", "hey you"),
        ("one\n@demo_bot\ntwo", "one\ntwo"),
        ("hi, @demo_bot\n\ntwo", "hi\n\ntwo"),
        ("@demo_bot\n\ntwo", "two"),
        ("@demo_bot :)", ":)"),
        ("@demo_bot\uff0c\u4f60\u597d", "\u4f60\u597d"),
        ("\u4f60\u597d\uff0c@demo_bot", "\u4f60\u597d"),
        ("\u4f60\u597d@demo_bot", "\u4f60\u597d"),
        ("\u8bf7@demo_bot\u8bf4", "\u8bf7\u8bf4"),
        ("İİİ @demo_bot hi", "İİİ hi"),
        ("@demo_bot", ""),
        ("@demo_bot2 @demo_bot hi", "@demo_bot2 hi"),
    ],
)
def test_a_mention_is_meant_for_the_bot_and_left_out_of_the_question(text: str, question: str) -> None:
    assert is_addressed(message(text), scope_in("supergroup"))
    assert question_of(message(text), scope_in("supergroup")).text == question


@pytest.mark.parametrize(
    "text", ["hello", "@demo_bot2 hi", "@demo_bot_two hi", "me@demo_bot", "demo_bot", "@other", None]
)
def test_other_messages_of_a_group_are_not(text: str | None) -> None:
    assert not is_addressed(message(text), scope_in("group"))


@pytest.mark.parametrize(
    ("text", "addressed"),
    [("/ping", True), ("/ping@demo_bot", True), ("/ping@other_bot", False), ("/etc/hosts", False)],
)
def test_commands_are_unless_they_name_another_bot(text: str, addressed: bool) -> None:
    assert is_addressed(message(text), scope_in("supergroup")) is addressed


def test_replies_to_the_bot_are_and_replies_to_others_are_not() -> None:
    assert is_addressed(message("and now?", reply_to=BOT), scope_in("supergroup"))
    assert not is_addressed(message("and now?", reply_to=PEER), scope_in("supergroup"))
    assert not is_addressed(message("/sum@other_bot", reply_to=BOT), scope_in("supergroup"))


def test_a_mention_in_a_caption_counts() -> None:
    photo = [{"file_id": "a", "file_unique_id": "b", "width": 1, "height": 1}]
    assert is_addressed(message(caption="@demo_bot look", photo=photo), scope_in("supergroup"))


@pytest.mark.parametrize("text", ["hello", "@other", None])
def test_in_a_private_chat_everything_is(text: str | None) -> None:
    assert is_addressed(message(text), scope_in("private"))


def test_in_a_private_chat_the_question_is_the_whole_text() -> None:
    assert question_of(message(" @demo_bot hi "), scope_in("private")).text == "@demo_bot hi"
