"""Messages, edits, deletes, reactions, buttons and drafts, with Telegram's error texts."""

from typing import Any

import pytest

from emulator_support import Call
from tgllm.testing.clock import ManualClock
from tgllm.testing.emulator import EmulatedChat, EmulatedDraft, EmulatedUser, Emulator
from tgllm.testing.emulator.markup.text import Text


async def test_send_and_edit(emu: Emulator, ann: EmulatedUser, chat: EmulatedChat, api: Call) -> None:
    question = await ann.say("hi")
    sent = await api("sendMessage", chat_id=ann.id, text=" hello ", reply_parameters={"message_id": question.id})
    assert (sent["text"], sent["from"]["id"], sent["chat"]["type"]) == ("hello", 42, "private")
    assert sent["reply_to_message"]["message_id"] == question.id
    edited = await api("editMessageText", chat_id=ann.id, message_id=sent["message_id"], text="bye")
    assert edited["text"] == "bye"
    message = chat.messages[-1]
    assert (message.text, message.previous, message.is_edited) == ("bye", ["hello"], True)
    assert "demo_bot [#2, reply to #1, edited]: bye" in emu.transcript(chat)


@pytest.mark.parametrize(
    ("method", "params", "words"),
    [
        ("sendMessage", {"text": "x"}, "400 Bad Request: chat_id is empty"),
        ("sendMessage", {"chat_id": 999, "text": "x"}, "400 Bad Request: chat not found"),
        ("sendMessage", {"chat_id": "ann", "text": " "}, "400 Bad Request: message text is empty"),
        ("sendMessage", {"chat_id": "ann"}, "400 Bad Request: message text is empty"),
        ("sendMessage", {"chat_id": "ann", "text": "🎉" * 2049}, "400 Bad Request: message is too long"),
        (
            "sendMessage",
            {"chat_id": "ann", "text": "x", "reply_parameters": {"message_id": 77}},
            "400 Bad Request: message to be replied not found",
        ),
        (
            "sendMessage",
            {"chat_id": "ann", "text": "x", "message_thread_id": 5},
            "400 Bad Request: message thread not found",
        ),
        (
            "editMessageText",
            {"chat_id": "ann", "message_id": 77, "text": "x"},
            "400 Bad Request: message to edit not found",
        ),
        (
            "editMessageText",
            {"chat_id": "ann", "message_id": 1, "text": "x"},
            "400 Bad Request: message can't be edited",
        ),
        (
            "deleteMessage",
            {"chat_id": "ann", "message_id": 77},
            "400 Bad Request: message to delete not found",
        ),
        ("sendChatAction", {"chat_id": "ann", "action": "dance"}, "400 Bad Request: wrong parameter action in request"),
        (
            "deleteMessages",
            {"chat_id": "ann", "message_ids": list(range(1, 102))},
            "400 Bad Request: too many message identifiers specified",
        ),
        ("noSuchMethod", {}, "404 Not Found: method not found"),
    ],
)
async def test_refusals(ann: EmulatedUser, refused: Call, method: str, params: dict[str, Any], words: str) -> None:
    await ann.say("hi")
    if params.get("chat_id") == "ann":
        params = {**params, "chat_id": ann.id}
    assert await refused(method, **params) == words


async def test_an_edit_that_changes_nothing_is_refused(
    ann: EmulatedUser, chat: EmulatedChat, api: Call, refused: Call
) -> None:
    sent = await api("sendMessage", chat_id=chat.id, text="same")
    words = await refused("editMessageText", chat_id=chat.id, message_id=sent["message_id"], text="same")
    assert words.startswith("400 Bad Request: message is not modified: specified new message content")
    assert not chat.messages[-1].is_edited


async def test_an_unknown_token_is_unauthorized(emu: Emulator, http: Any) -> None:
    async with http.get(f"{emu.base_url}/bot1:wrong/getMe") as response:
        assert response.status == 401
        assert await response.json() == {
            "ok": False,
            "error_code": 401,
            "description": "Unauthorized",
        }


async def test_a_blocked_bot_is_forbidden(ann: EmulatedUser, chat: EmulatedChat, api: Call, refused: Call) -> None:
    await ann.block()
    words = await refused("sendMessage", chat_id=chat.id, text="x")
    assert words == "403 Forbidden: bot was blocked by the user"
    with pytest.raises(ValueError, match="unblock"):
        await ann.say("hello?")
    await ann.unblock()
    await api("sendMessage", chat_id=chat.id, text="x")
    changes = [u["my_chat_member"]["new_chat_member"]["status"] for u in await api("getUpdates")]
    assert changes == ["kicked", "member"]


async def test_buttons_and_their_answers(
    emu: Emulator, ann: EmulatedUser, chat: EmulatedChat, api: Call, refused: Call
) -> None:
    keyboard = {"inline_keyboard": [[{"text": "Approve", "callback_data": "ok:7"}]]}
    await api("sendMessage", chat_id=chat.id, text="Let her in?", reply_markup=keyboard)
    query = await ann.press(chat.messages[-1], "Approve")
    (update,) = await api("getUpdates")
    assert update["callback_query"]["data"] == "ok:7"
    assert await api("answerCallbackQuery", callback_query_id=query.id, text="Done") is True
    assert query.answer is not None
    assert query.answer["text"] == "Done"
    again = await refused("answerCallbackQuery", callback_query_id=query.id)
    assert again.endswith("query is too old and response timeout expired or query ID is invalid")
    with pytest.raises(LookupError, match="'Approve'"):
        await ann.press(chat.messages[-1], "Deny")
    long = {"inline_keyboard": [[{"text": "x", "callback_data": "é" * 33}]]}
    words = await refused("sendMessage", chat_id=chat.id, text="x", reply_markup=long)
    assert words == "400 Bad Request: BUTTON_DATA_INVALID"
    nowhere = {"inline_keyboard": [[{"text": "x", "url": "http://localhost:8080/"}]]}
    words = await refused("sendMessage", chat_id=chat.id, text="x", reply_markup=nowhere)
    assert words == ("400 Bad Request: inline keyboard button URL 'http://localhost:8080/' is invalid: Wrong HTTP URL")


async def test_a_reaction_of_the_bot(
    chat: EmulatedChat, ann: EmulatedUser, api: Call, refused: Call, emu: Emulator
) -> None:
    message = await ann.say("hi")
    thumb = [{"type": "emoji", "emoji": "👀"}]
    await api("setMessageReaction", chat_id=chat.id, message_id=message.id, reaction=thumb)
    assert message.reactions[emu.bot.id] == thumb
    for emoji in ("⏳", "seen", ""):
        wrong = [{"type": "emoji", "emoji": emoji}]
        words = await refused("setMessageReaction", chat_id=chat.id, message_id=message.id, reaction=wrong)
        assert words == "400 Bad Request: REACTION_INVALID"
    await api("setMessageReaction", chat_id=chat.id, message_id=message.id, reaction=[{"type": "emoji", "emoji": "❤️"}])


async def test_a_draft_grows_and_ends_with_the_message(
    emu: Emulator, ann: EmulatedUser, chat: EmulatedChat, api: Call
) -> None:
    for text in ("", "Hel", "Hello"):
        await api("sendMessageDraft", chat_id=chat.id, draft_id=5, text=text)
    draft = await emu.wait_for_draft(chat, lambda d: d.text == "Hello")
    assert (draft.id, draft.revision) == (5, 3)
    await api("sendMessageDraft", chat_id=chat.id, draft_id=6, text="other")
    assert [d.id for d in chat.drafts.values()] == [6]
    await api("sendMessage", chat_id=chat.id, text="Hello!")
    assert chat.drafts == {}


async def test_stop_takes_the_draft_away_and_tells_the_bot(
    emu: Emulator, ann: EmulatedUser, chat: EmulatedChat, api: Call
) -> None:
    topic = emu.add_topic(chat, "Work")
    where = {"chat_id": chat.id, "message_thread_id": topic.id, "draft_id": 9}
    await api("sendMessageDraft", **where, text="a", can_stop=True)
    await ann.stop(await emu.wait_for_draft(chat))
    (update,) = await api("getUpdates")
    stopped = update["stopped_message_generation"]
    assert (stopped["draft_id"], stopped["message_thread_id"]) == (9, topic.id)
    await api("sendMessageDraft", **where, text="ab", can_stop=True)
    assert chat.drafts == {}


async def test_drafts_are_for_private_chats_and_need_an_id(
    emu: Emulator, ann: EmulatedUser, chat: EmulatedChat, refused: Call
) -> None:
    group = emu.add_group(title="Team", members=[ann])
    assert (await refused("sendMessageDraft", chat_id=group.id, draft_id=1, text="x")).startswith("400 ")
    assert (await refused("sendMessageDraft", chat_id=chat.id, draft_id=0, text="x")).startswith("400 ")


async def test_a_draft_lives_thirty_seconds() -> None:
    clock = ManualClock()
    async with Emulator(clock=clock) as emu:
        chat = emu.add_user(first_name="Ann").private_chat()
        emu.world.set_draft(EmulatedDraft(1, chat, None, Text("x"), clock.monotonic() + 30))
        await clock.advance(29)
        assert chat.drafts
        await clock.advance(1)
        assert chat.drafts == {}


async def test_commands_are_kept_by_scope_and_language(emu: Emulator, api: Call, refused: Call) -> None:
    commands = [{"command": "ping", "description": "Are you there?"}]
    await api("setMyCommands", commands=commands, language_code="ru")
    assert await api("getMyCommands") == []
    assert await api("getMyCommands", language_code="ru") == commands
    bad = [{"command": "Ping!", "description": "x"}]
    assert await refused("setMyCommands", commands=bad) == "400 Bad Request: BOT_COMMAND_INVALID"


async def test_the_journal_tells_parameters_and_results(
    emu: Emulator, chat: EmulatedChat, api: Call, refused: Call
) -> None:
    await api("sendmessage", chat_id=str(chat.id), text="x", unknown="is ignored")
    await refused("sendMessage", chat_id=1, text="x")
    good, bad = emu.journal.of("sendMessage")
    assert (good.params, good.status, good.ok) == ({"chat_id": chat.id, "text": "x"}, 200, True)
    assert (bad.status, bad.error) == (400, "Bad Request: chat not found")
    assert emu.token not in repr(list(emu.journal))


async def test_a_wait_that_fails_shows_the_chats(emu: Emulator, ann: EmulatedUser) -> None:
    await ann.say("anybody?")
    with pytest.raises(TimeoutError, match="anybody"):
        await emu.wait_for(lambda: False, timeout=0)


async def test_groups_and_topics(emu: Emulator, ann: EmulatedUser, api: Call) -> None:
    group = emu.add_group(title="Team", members=[ann])
    topic = emu.add_topic(group, "News")
    await ann.say("hi /ping@demo_bot", topic=topic)
    (update,) = await api("getUpdates")
    message = update["message"]
    assert (message["chat"]["type"], message["message_thread_id"]) == ("supergroup", topic.id)
    assert message["entities"] == [{"type": "bot_command", "offset": 3, "length": 14}]
    sent = await api("sendMessage", chat_id=group.id, message_thread_id=topic.id, text="news")
    assert sent["is_topic_message"] is True


async def test_what_a_user_cannot_press_or_stop(
    emu: Emulator, ann: EmulatedUser, chat: EmulatedChat, api: Call
) -> None:
    keyboard = {"inline_keyboard": [[{"text": "Go", "callback_data": "go"}]]}
    sent = await api("sendMessage", chat_id=chat.id, text="x", reply_markup=keyboard)
    message = chat.messages[-1]
    await api("deleteMessage", chat_id=chat.id, message_id=sent["message_id"])
    with pytest.raises(ValueError, match="is deleted"):
        await ann.press(message, "Go")
    await api("sendMessageDraft", chat_id=chat.id, draft_id=4, text="so", can_stop=True, keep_on_stop=True)
    draft = await emu.wait_for_draft(chat)
    await ann.stop(draft)
    with pytest.raises(ValueError, match="is stopped"):
        await ann.stop(draft)
    assert [set(u) - {"update_id"} for u in await api("getUpdates")] == [{"stopped_message_generation"}]


async def test_a_quote_is_of_the_message_that_is_replied_to(
    ann: EmulatedUser, chat: EmulatedChat, api: Call, refused: Call
) -> None:
    message = await ann.say("🎉 good news")
    quote = {"message_id": message.id, "quote": "good"}
    sent = await api("sendMessage", chat_id=chat.id, text="x", reply_parameters=quote)
    assert sent["quote"] == {"text": "good", "position": 3, "is_manual": True}
    words = await refused("sendMessage", chat_id=chat.id, text="x", reply_parameters={**quote, "quote": "bad"})
    assert words == "400 Bad Request: QUOTE_TEXT_INVALID"
    await ann.delete(message)
    edited = await api("editMessageText", chat_id=chat.id, message_id=sent["message_id"], text="y")
    assert "reply_to_message" not in edited


async def test_an_empty_keyboard_is_none(chat: EmulatedChat, api: Call, refused: Call) -> None:
    go = [{"text": "Go", "callback_data": "go"}]
    sent = await api("sendMessage", chat_id=chat.id, text="x", reply_markup={"inline_keyboard": [[], go, []]})
    assert sent["reply_markup"] == {"inline_keyboard": [go]}
    where = {"chat_id": chat.id, "message_id": sent["message_id"]}
    assert "reply_markup" not in await api("editMessageReplyMarkup", **where, reply_markup={"inline_keyboard": [[]]})
    words = await refused("editMessageReplyMarkup", **where, reply_markup={"inline_keyboard": []})
    assert words.startswith("400 Bad Request: message is not modified")


async def test_a_topic_or_a_message_of_another_chat_is_no_place(
    emu: Emulator, ann: EmulatedUser, chat: EmulatedChat
) -> None:
    group = emu.add_group(title="Team", members=[ann])
    topic, message = emu.add_topic(chat, "Work"), await ann.say("hi")
    with pytest.raises(ValueError, match="'Work' is in another chat"):
        await ann.say("x", chat=group, topic=topic)
    with pytest.raises(ValueError, match="is in another chat"):
        await ann.say("x", chat=group, reply_to=message)


async def test_private_chats_and_basic_groups_of_a_bot_share_a_sequence_of_ids(
    emu: Emulator, ann: EmulatedUser, api: Call
) -> None:
    eve = emu.add_user(first_name="Eve")
    other = emu.add_bot(token="43:other", username="other_bot")
    basic = emu.add_group(title="Basic", members=[ann, eve], is_basic=True)
    large = emu.add_group(title="Large", members=[ann])
    first = await ann.say("one")
    ids = [(await api("sendMessage", chat_id=chat_id, text="x"))["message_id"] for chat_id in (ann.id, basic.id)]
    ids += [(await eve.say("two")).id, (await ann.say("three", chat=basic)).id]
    assert ids == [first.id + number for number in (1, 2, 3, 4)]
    # A supergroup has its own, and so has another bot.
    assert [(await ann.say("four", chat=large)).id, (await ann.say("five", chat=large)).id] == [1, 2]
    assert (await ann.say("six", chat=ann.private_chat(other))).id == 1
