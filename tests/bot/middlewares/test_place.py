"""Chats of all kinds, through the whole bot: who is answered where, and whose words a model gets."""

import json
from collections.abc import Mapping
from typing import Any

import pytest

from bot_support import Menus, Start, decide_group
from engines import looking_into
from tgllm.db.engine.unit import Connection
from tgllm.db.tables import groups, inbox, outbox
from tgllm.db.tables.inbox import NewUpdate
from tgllm.services.common.lane import Lane
from tgllm.testing.bot import RunningBot
from tgllm.testing.emulator import Emulator
from tgllm.testing.emulator.state.records import EmulatedChat, EmulatedMessage
from tgllm.testing.emulator.users import EmulatedUser
from tgllm.testing.scripted import ScriptedProvider

pytestmark = pytest.mark.once

SENDS = {"sendMessage", "sendRichMessage", "sendDocument", "sendMessageDraft", "editMessageText", "setMessageReaction"}


@pytest.fixture
def bob(emu: Emulator) -> EmulatedUser:
    return emu.add_user(first_name="Bob", language_code="en")


async def settled(emu: Emulator, bot: RunningBot) -> None:
    """Wait until the bot has dealt with all updates, and has sent what it had to."""
    await emu.wait_for(lambda: not len(emu.bot.queue))
    with looking_into(bot.core.database) as conn:
        await emu.wait_for(lambda: not is_busy(conn), timeout=60)


def is_busy(conn: Connection) -> bool:
    """Whether an update or a message still waits."""
    return bool(inbox.counts(conn).keys() & {"queued", "running"} or outbox.counts(conn).keys() & {"ready", "sending"})


async def stored(bot: RunningBot) -> str:
    """All that the database has of updates, conversations and messages to send."""

    def read(conn: Connection) -> str:
        tables = ("inbox", "messages", "conversations", "outbox", "groups")
        return json.dumps([[tuple(row) for row in conn.execute(f"SELECT * FROM {name}")] for name in tables])

    return await bot.core.database.read(read)


def asked(provider: ScriptedProvider) -> str:
    """All that the model has read."""
    return "\n".join(message.text for request in provider.requests for message in request.messages)


def answers_in(emu: Emulator, chat: EmulatedChat) -> list[EmulatedMessage]:
    return [message for message in chat.messages if message.from_bot]


# Direct messages of a channel.


async def test_people_who_write_to_a_channel_have_conversations_of_their_own(
    emu: Emulator, ann: EmulatedUser, bob: EmulatedUser, start: Start, provider: ScriptedProvider
) -> None:
    channel = emu.add_direct_messages(title="News")
    async with start(let_in=[bob]):
        for person, text in ((ann, "my secret is xylophone"), (bob, "what did the other one say?"), (ann, "and now?")):
            said = await person.say(f"@demo_bot {text}", chat=channel)
            answer = await emu.wait_for_message(
                channel, lambda m, text=text: m.from_bot and m.text.endswith(text), after=said
            )
            assert (answer.direct_topic, answer.reply_to) == (said.direct_topic, said)
    first, second, third = ([message.text for message in request.messages] for request in provider.requests)
    assert second == ["Bob: what did the other one say?"]
    assert third[0] == first[0] == "Ann: my secret is xylophone"


async def test_every_message_to_somebody_who_writes_to_a_channel_goes_to_their_topic(
    emu: Emulator, ann: EmulatedUser, start: Start, provider: ScriptedProvider, menus: Menus
) -> None:
    channel = emu.add_direct_messages(title="News")
    provider.answer("word " * 3000)
    async with start() as bot:
        said = await ann.say("@demo_bot long", chat=channel)
        for line in ("/settings", "/help", "/history", "/usage", "/export", "/nonsense@demo_bot"):
            await menus.ask(ann, line, chat=channel)
        await settled(emu, bot)
    sent = [call for call in emu.journal if call.chat_id == channel.id and call.method in SENDS]
    assert {call.status for call in sent} == {200}
    assert said.direct_topic is not None
    assert {message.direct_topic for message in answers_in(emu, channel)} == {said.direct_topic}
    assert len(answers_in(emu, channel)) > 8


async def test_the_buttons_of_a_topic_act_in_that_topic(
    emu: Emulator, ann: EmulatedUser, bob: EmulatedUser, start: Start, provider: ScriptedProvider, menus: Menus
) -> None:
    channel = emu.add_direct_messages(title="News", admins=[ann])
    async with start(let_in=[bob]):
        await menus.ask(bob, "@demo_bot hello", chat=channel)
        said = await bob.say("@demo_bot again", chat=channel)
        shown = await emu.wait_for_message(channel, lambda m: "Regenerate" in m.labels, after=said)
        await bob.press(shown, "Regenerate")
        again = await emu.wait_for_message(channel, lambda m: m.from_bot and "Regenerate" in m.labels, after=shown)
        assert again.direct_topic == said.direct_topic
    assert provider.questions == ["Bob: hello", "Bob: again", "Bob: again"]


async def test_the_approval_of_a_group_lets_nobody_ask_in_direct_messages(
    emu: Emulator, ann: EmulatedUser, eve: EmulatedUser, start: Start, provider: ScriptedProvider
) -> None:
    channel = emu.add_direct_messages(title="News")
    async with start() as bot:
        await bot.core.database.write(decide_group(channel))
        await eve.say("hello", chat=channel)
        await eve.say("@demo_bot hello", chat=channel)
        await emu.wait_for_message(channel)
        await settled(emu, bot)
        assert "hello" not in await bot.core.database.read(
            lambda conn: str([row[0] for row in conn.execute("SELECT payload FROM inbox")])
        )
    (answer,) = answers_in(emu, channel)
    assert answer.text.startswith("🔒")
    # A request can only be made in private.
    assert "write to me in private" in answer.text
    assert answer.direct_topic == channel.direct_topic_of(eve)
    assert not provider.requests


async def test_direct_messages_are_no_group_to_approve(
    emu: Emulator, ann: EmulatedUser, bob: EmulatedUser, start: Start, menus: Menus
) -> None:
    channel = emu.add_direct_messages(title="News", admins=[ann])
    member = {"user": {"id": emu.bot.id, "is_bot": True, "first_name": "Bot"}}
    async with start(let_in=[bob], admin_chat_id=channel.id) as bot:
        await menus.ask(bob, "@demo_bot hello", chat=channel)
        assert "in a private chat" in (await menus.ask(ann, "/groupmode@demo_bot always", chat=channel)).text
        assert "private" in (await menus.ask(ann, "/admin@demo_bot users", chat=channel)).text
        emu.inject_update(
            {
                "my_chat_member": {
                    "chat": {"id": channel.id, "type": "supergroup", "is_direct_messages": True},
                    "from": {"id": ann.id, "is_bot": False, "first_name": "Ann"},
                    "date": 1,
                    "old_chat_member": {**member, "status": "left"},
                    "new_chat_member": {**member, "status": "member"},
                }
            }
        )
        await settled(emu, bot)
        assert await bot.core.database.read(lambda conn: groups.get(conn, channel.id)) is None


async def test_direct_messages_count_on_the_budget_of_the_person(
    emu: Emulator, ann: EmulatedUser, start: Start, menus: Menus
) -> None:
    channel = emu.add_direct_messages(title="News")
    async with start() as bot:
        await menus.ask(ann, "@demo_bot hello", chat=channel)
        await settled(emu, bot)
        owners = await bot.core.database.read(
            lambda conn: [tuple(row) for row in conn.execute("SELECT user_id, group_id FROM usage")]
        )
    assert owners == [(ann.id, 0)]


# Ephemeral messages.


@pytest.mark.parametrize("text", ["@demo_bot what is xylophone?", "/system xylophone", "/stop", "/retry", "xylophone"])
async def test_an_ephemeral_message_is_not_answered_in_public(
    emu: Emulator, ann: EmulatedUser, bob: EmulatedUser, start: Start, provider: ScriptedProvider, text: str
) -> None:
    team = emu.add_group(title="Team", members=[ann, bob])
    async with start(let_in=[bob]) as bot:
        await bot.core.database.write(decide_group(team))
        await ann.say_ephemeral(text, chat=team)
        answer = await emu.wait_for(lambda: next((m for m in team.ephemeral.values() if m.from_bot), None))
        said = await bob.say("@demo_bot what did Ann ask?", chat=team)
        await emu.wait_for_message(team, lambda m: m.from_bot and m.text.endswith("Ann ask?"), after=said)
        await settled(emu, bot)
        assert "xylophone" not in await stored(bot)
    assert answer.fields["receiver_user"]["id"] == ann.id
    assert "https://t.me/demo_bot" in answer.text
    assert len(answers_in(emu, team)) == 1
    assert "xylophone" not in asked(provider)


async def test_an_ephemeral_message_of_a_stranger_is_not_answered_at_all(
    emu: Emulator, ann: EmulatedUser, eve: EmulatedUser, start: Start, provider: ScriptedProvider
) -> None:
    team = emu.add_group(title="Team", members=[ann, eve])
    async with start() as bot:
        await eve.say_ephemeral("/start it is xylophone", chat=team)
        await settled(emu, bot)
        assert "xylophone" not in await stored(bot)
    assert [call for call in emu.journal if call.method in SENDS] == []
    assert not provider.requests


async def test_an_ephemeral_edit_and_press_do_nothing(
    emu: Emulator, ann: EmulatedUser, start: Start, provider: ScriptedProvider
) -> None:
    team = emu.add_group(title="Team", members=[ann])
    who = {"id": ann.id, "is_bot": False, "first_name": "Ann"}
    place = {"chat": {"id": team.id, "type": "supergroup", "title": "Team"}, "date": 1}
    secret = {"message_id": 0, "ephemeral_message_id": 3, "receiver_user": who, **place}
    own = {"id": emu.bot.id, "is_bot": True, "first_name": "Bot"}
    async with start() as bot:
        emu.inject_update({"edited_message": {**secret, "from": who, "edit_date": 2, "text": "@demo_bot xylophone"}})
        press = {"id": "1", "from": who, "chat_instance": "1", "message": {**secret, "from": own}}
        emu.inject_update({"callback_query": {**press, "data": "settings:xylophone"}})
        await settled(emu, bot)
        assert "xylophone" not in await stored(bot)
    assert [call for call in emu.journal if call.method in SENDS] == []
    assert not provider.requests


@pytest.mark.parametrize(
    "reply",
    [
        {"reply_to_message": {"message_id": 0, "ephemeral_message_id": 3, "text": "it is xylophone"}},
        {"reply_to_message": {"message_id": 7, "receiver_user": {}, "text": "it is xylophone"}, "quote": {}},
        {"quote": {}},
        {"reply_to_message": {"message_id": 7, "chat": {"id": 5, "type": "private"}, "text": "it is xylophone"}},
        {"reply_to_message": {"message_id": 7, "direct_messages_topic": {"topic_id": 9}, "text": "it is xylophone"}},
    ],
)
async def test_what_only_one_person_saw_is_not_quoted_to_all(
    emu: Emulator, ann: EmulatedUser, start: Start, provider: ScriptedProvider, reply: Mapping[str, Any]
) -> None:
    team = emu.add_group(title="Team", members=[ann])
    who = {"id": ann.id, "is_bot": False, "first_name": "Ann"}
    place = {"chat": {"id": team.id, "type": "supergroup", "title": "Team"}, "date": 1, "from": who}
    message: dict[str, Any] = {**place, "message_id": 900, "text": "@demo_bot explain that"}
    if "reply_to_message" in reply:
        replied = {**place, **reply["reply_to_message"]}
        message["reply_to_message"] = replied | ({"receiver_user": who} if "receiver_user" in replied else {})
    if "quote" in reply:
        message["quote"] = {"text": "it is xylophone", "position": 0}
    async with start():
        emu.inject_update({"message": message})
        await emu.wait_for_message(team, lambda m: m.from_bot and m.text.endswith("explain that"))
    assert provider.questions == ["Ann: explain that"]


# Presses.


def press_on(emu: Emulator, who: EmulatedUser, chat: Mapping[str, Any] | None, **changes: Any) -> dict[str, Any]:
    """A press of a settings button on a message of the bot."""
    press: dict[str, Any] = {
        "id": "77",
        "from": {"id": who.id, "is_bot": False, "first_name": who.first_name},
        "chat_instance": "1",
        "data": changes.pop("data", "settings"),
    }
    if chat is not None:
        own = {"id": emu.bot.id, "is_bot": True, "first_name": "Bot"}
        press["message"] = {"message_id": 900, "date": 1, "chat": chat, "from": own, "text": "x"}
        press["message"] |= changes.pop("message", {})
        if press["message"]["date"] == 0:
            # Bot API: InaccessibleMessage.
            press["message"] = {"message_id": 900, "date": 0, "chat": chat}
    return {"callback_query": press | changes}


BUTTONS = ("settings", "stop", "retry:u1", "models", "history", "forget:1", "admin:stats")
TEAM = {"id": -1009, "type": "supergroup", "title": "Team"}
OTHER_BOT = {"id": 55, "is_bot": True, "first_name": "Other"}
MISPLACED: dict[str, tuple[Mapping[str, Any] | None, dict[str, Any]]] = {
    "another person's chat": ({"id": 555, "type": "private", "first_name": "Zoe"}, {}),
    "a group with a person's id": ({"id": 555, "type": "supergroup", "title": "Zoe"}, {}),
    "inline": (None, {"inline_message_id": "abc"}),
    "inline, and a message": (TEAM, {"inline_message_id": "abc"}),
    "no message": (None, {}),
    "a channel": ({"id": -1008, "type": "channel", "title": "News"}, {"message": {"sender_chat": TEAM}}),
    "another bot's": (TEAM, {"message": {"from": OTHER_BOT}}),
    "a person's": (TEAM, {"message": {"from": {"id": 9, "is_bot": False, "first_name": "Zoe"}}}),
    "business": (TEAM, {"message": {"business_connection_id": "b"}}),
    "guest": (TEAM, {"message": {"guest_query_id": "g"}}),
    "ephemeral": (TEAM, {"message": {"message_id": 0, "ephemeral_message_id": 3}}),
    "direct messages without a topic": ({**TEAM, "is_direct_messages": True}, {}),
    "gone, in a forum": ({**TEAM, "is_forum": True}, {"message": {"date": 0}}),
    "a field of the future": (TEAM, {"visible_to": [1]}),
    "a message of the future": (TEAM, {"message": {"audience_id": 1}}),
    "a chat of the future": ({**TEAM, "is_secret_club": True}, {}),
}


@pytest.mark.parametrize("case", MISPLACED)
async def test_a_press_of_which_others_could_see_the_answer_does_nothing(
    emu: Emulator, ann: EmulatedUser, start: Start, provider: ScriptedProvider, case: str
) -> None:
    chat, changes = MISPLACED[case]
    presses = {data: f"id of {data}" for data in BUTTONS}
    async with start() as bot:
        for data, query_id in presses.items():
            emu.inject_update(press_on(emu, ann, chat, data=data, id=query_id, **changes))
        answers = await emu.wait_for(
            lambda: found if len(found := emu.journal.of("answerCallbackQuery")) >= len(presses) else None
        )
        await settled(emu, bot)
        assert (await bot.core.database.read(outbox.counts)) == {}
    texts = {answer.params["callback_query_id"]: str(answer.params["text"]) for answer in answers}
    assert texts.keys() == set(presses.values())
    for query_id, text in texts.items():
        assert text.startswith(("This button does not work here", "This message is gone")), query_id
    assert [call for call in emu.journal if call.method in SENDS] == []
    assert not provider.requests


@pytest.mark.parametrize("case", MISPLACED)
async def test_a_refused_press_requests_no_group(
    emu: Emulator, ann: EmulatedUser, bob: EmulatedUser, start: Start, case: str
) -> None:
    chat, changes = MISPLACED[case]
    ann.private_chat()
    async with start(let_in=[bob]) as bot:
        emu.inject_update(press_on(emu, bob, chat, **changes))
        await emu.wait_for(lambda: emu.journal.of("answerCallbackQuery"))
        await settled(emu, bot)
        assert await bot.core.database.read(lambda conn: conn.execute("SELECT * FROM groups").fetchall()) == []
    assert not any("🔔" in message.text for message in ann.private_chat().messages)


async def test_somebody_elses_private_chat_has_no_buttons_for_others(
    emu: Emulator, ann: EmulatedUser, bob: EmulatedUser, start: Start, menus: Menus
) -> None:
    async with start(let_in=[bob]) as bot:
        shown = await menus.ask(ann, "/settings")
        before = shown.text, shown.labels
        for button in shown.buttons:
            assert (await menus.toast(bob, shown, button.data or "")).startswith("This button does not work here")
        await settled(emu, bot)
        assert (shown.text, shown.labels) == before
        assert bob.private_chat().messages == []


async def test_a_card_decides_although_its_message_is_gone(
    emu: Emulator, ann: EmulatedUser, eve: EmulatedUser, start: Start
) -> None:
    ann.private_chat()
    async with start():
        await eve.say("/start")
        await emu.wait_for_message(ann.private_chat(), lambda m: "🔔" in m.text)
        chat = {"id": ann.id, "type": "private", "first_name": "Ann"}
        data = f"access:approve:{eve.id}"
        emu.inject_update(press_on(emu, ann, chat, data=data, message={"date": 0}))
        await emu.wait_for_message(eve.private_chat(), lambda m: m.from_bot and "approved" in m.text)


# Messages of other conversations.

FOREIGN: dict[str, dict[str, Any]] = {
    "business": {"business_connection_id": "b"},
    "an empty business": {"business_connection_id": ""},
    "guest": {"guest_query_id": "g"},
    "a guest bot": {"guest_bot_caller_user": {"id": 9, "is_bot": False, "first_name": "Zoe"}},
    "a business bot": {"sender_business_bot": OTHER_BOT},
    "a suggested post": {"suggested_post_info": {"state": "pending"}},
    "an automatic forward": {"is_automatic_forward": True},
    "Telegram": {"from": {"id": 777000, "is_bot": False, "first_name": "Telegram"}},
    "somebody else's private chat": {"chat": {"id": 555, "type": "private", "first_name": "Zoe"}},
    "a group with a person's id": {"chat": {"id": 555, "type": "supergroup", "title": "Zoe"}},
    "a private chat with a group's id": {"chat": {"id": -1009, "type": "private", "first_name": "Zoe"}},
    "a channel": {"chat": {"id": -1008, "type": "channel", "title": "News"}},
    "direct messages without a topic": {"chat": {**TEAM, "is_direct_messages": True}},
    "a topic without an id": {"chat": {**TEAM, "is_direct_messages": True}, "direct_messages_topic": {}},
    "a field of the future": {"visible_to": [1]},
    "a chat of the future": {"chat": {**TEAM, "is_secret_club": True}},
}


@pytest.mark.parametrize("kind", ["message", "edited_message"])
@pytest.mark.parametrize("case", FOREIGN)
async def test_messages_of_other_conversations_are_neither_answered_nor_kept(
    emu: Emulator, ann: EmulatedUser, start: Start, provider: ScriptedProvider, case: str, kind: str
) -> None:
    who = {"id": ann.id, "is_bot": False, "first_name": "Ann"}
    message = {"message_id": 900, "date": 1, "chat": TEAM, "from": who, "text": "@demo_bot it is xylophone"}
    async with start() as bot:
        emu.inject_update({kind: message | FOREIGN[case]})
        await settled(emu, bot)
        assert "xylophone" not in await stored(bot)
        assert (await bot.core.database.read(inbox.counts)) == {"done": 1}
    assert [call for call in emu.journal if call.method in SENDS | {"answerCallbackQuery"}] == []
    assert not provider.requests


@pytest.mark.parametrize("other", ["business_message", "callback_query", "visible_to"])
async def test_an_update_of_two_kinds_is_of_none(
    emu: Emulator, ann: EmulatedUser, start: Start, provider: ScriptedProvider, other: str
) -> None:
    who = {"id": ann.id, "is_bot": False, "first_name": "Ann"}
    message = {"message_id": 900, "date": 1, "chat": TEAM, "from": who, "text": "@demo_bot it is xylophone"}
    async with start() as bot:
        emu.inject_update({"message": message, other: {"chat": TEAM}})
        await settled(emu, bot)
        assert "xylophone" not in await stored(bot)
    assert not provider.requests


HARMLESS: dict[str, dict[str, Any]] = {
    "a scheduled message": {"is_from_offline": True},
    "protected": {"has_protected_content": True},
    "paid": {"paid_star_count": 5},
    "tagged": {"sender_tag": "boss", "sender_boost_count": 2},
    "a new field": {"mood": "happy"},
    "a new field that is false": {"is_secret": False, "visible_to": None},
}


@pytest.mark.parametrize("case", HARMLESS)
async def test_other_fields_keep_nobody_from_an_answer(
    emu: Emulator, ann: EmulatedUser, start: Start, provider: ScriptedProvider, case: str
) -> None:
    who = {"id": ann.id, "is_bot": False, "first_name": "Ann"}
    chat = {"id": ann.private_chat().id, "type": "private", "first_name": "Ann"}
    async with start():
        emu.inject_update(
            {"message": {"message_id": 900, "date": 1, "chat": chat, "from": who, "text": "hi"} | HARMLESS[case]}
        )
        await emu.wait_for_message(ann.private_chat())
    assert provider.questions == ["hi"]


async def test_updates_that_an_earlier_version_has_stored_are_not_answered_elsewhere(
    emu: Emulator, ann: EmulatedUser, start: Start, provider: ScriptedProvider, menus: Menus
) -> None:
    who = {"id": ann.id, "is_bot": False, "first_name": "Ann"}
    direct = {"chat": {**TEAM, "is_direct_messages": True}, "direct_messages_topic": {"topic_id": 3}}
    text = {"message_id": 900, "date": 1, "chat": TEAM, "from": who, "text": "@demo_bot it is xylophone"}
    old: list[tuple[Lane, str, dict[str, Any]]] = [
        (Lane(-1009), "message", text | direct),
        (Lane(-1009), "edited_message", text | direct),
        (Lane(-1009), "message", text | {"ephemeral_message_id": 4}),
        (Lane(-1009, None, "b"), "message", text | {"business_connection_id": "b"}),
        (Lane(ann.id), "callback_query", press_on(emu, ann, None, inline_message_id="x")["callback_query"]),
        (Lane(-1009), "callback_query", press_on(emu, ann, TEAM, message=direct)["callback_query"]),
    ]
    rows = [
        NewUpdate(number, lane.key, kind, control=False, payload=json.dumps({"update_id": number, kind: content}))
        for number, (lane, kind, content) in enumerate(old, 1)
    ]
    async with start() as bot:
        now = int(bot.core.clock.now() * 1000)
        await bot.core.database.write(lambda conn: inbox.add_updates(conn, rows, now))
        await menus.ask(ann, "/ping")
        await settled(emu, bot)
        assert "xylophone" not in await stored(bot)
        assert (await bot.core.database.read(inbox.counts)) == {"done": len(rows) + 1}
    assert [call.chat_id for call in emu.journal if call.method in SENDS] == [ann.id]
    assert not provider.requests


async def test_the_cards_of_a_channel_that_is_the_admin_chat_work(
    emu: Emulator, ann: EmulatedUser, eve: EmulatedUser, start: Start
) -> None:
    news = {"id": -1008, "type": "channel", "title": "News"}
    posted = {"message_id": 900, "date": 1, "chat": news, "sender_chat": news, "text": "x"}
    async with start(admin_chat_id=-1008):
        await eve.say("/start")
        await emu.wait_for_message(eve.private_chat())
        press = press_on(emu, ann, None, data=f"access:approve:{eve.id}")["callback_query"]
        emu.inject_update({"callback_query": {**press, "message": posted}})
        await emu.wait_for_message(eve.private_chat(), lambda m: m.from_bot and "approved" in m.text)
