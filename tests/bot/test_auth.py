"""Requests for access and their approval: cards, decisions, groups and invite links."""

import asyncio
import json
from collections.abc import Awaitable, Callable

import pytest

from bot_support import Start, decide_group, pause
from tgllm import hookimpl
from tgllm.api import ChatInfo, Decision, PluginInfo, UserInfo
from tgllm.db.engine.unit import Connection
from tgllm.db.tables import audit, groups, outbox, users
from tgllm.db.tables.groups import Group
from tgllm.db.tables.users import User
from tgllm.services.access.access_requests import Asked
from tgllm.services.access.groups import GroupAccess
from tgllm.services.access.upkeep import AccessUpkeep
from tgllm.services.common.actor import SHELL, Actor
from tgllm.services.people.decisions import Verdict
from tgllm.testing.bot import RunningBot
from tgllm.testing.clock import ManualClock
from tgllm.testing.emulator import Emulator, Fault
from tgllm.testing.emulator.state.records import EmulatedChat, EmulatedMessage
from tgllm.testing.emulator.users import EmulatedUser
from tgllm.testing.scripted import GivenPlugin, ScriptedProvider

Card = Callable[[EmulatedChat], Awaitable[EmulatedMessage]]

APPROVE = "✅ Approve"


@pytest.fixture
def bob(emu: Emulator) -> EmulatedUser:
    """Somebody who becomes an admin in some tests."""
    return emu.add_user(first_name="Bob", language_code="ru")


@pytest.fixture(autouse=True)
def chats(ann: EmulatedUser, bob: EmulatedUser) -> None:
    """Whoever administers the bot has begun to talk to it: bots can't begin (Bot API: sendMessage)."""
    ann.private_chat()
    bob.private_chat()


@pytest.fixture
def card(emu: Emulator) -> Card:
    """The card of a request in a chat."""

    async def find(chat: EmulatedChat) -> EmulatedMessage:
        return await emu.wait_for_message(chat, lambda message: "🔔" in message.text and bool(message.buttons))

    return find


async def user_of(bot: RunningBot, person: EmulatedUser) -> User:
    user = await bot.core.database.read(lambda conn: users.get(conn, person.id))
    assert user is not None
    return user


async def group_of(bot: RunningBot, chat: EmulatedChat) -> Group | None:
    return await bot.core.database.read(lambda conn: groups.get(conn, chat.id))


async def actions(bot: RunningBot) -> list[str]:
    """What was done, but for the owners of the configuration."""
    rows = await bot.core.database.read(lambda conn: audit.list_recent(conn, 50))
    return [f"{row.actor_id} {row.action} {row.target}" for row in reversed(rows) if row.source != "config"]


async def decide(bot: RunningBot, person: EmulatedUser, verdict: Verdict = "approve") -> None:
    """Decide about somebody by the shell; what they are told of it is not waited for."""
    seen = users.SeenUser(person.id, first_name=person.first_name, language_code=person.language_code)
    await bot.core.database.write(lambda conn: users.upsert_seen(conn, seen, 1))
    await bot.core.users.decide(person.id, verdict, Actor(None, "shell"))


def upkeep_of(bot: RunningBot) -> AccessUpkeep:
    core = bot.core
    return AccessUpkeep(core.database, core.clock, core.texts, core.access, core.running)


async def test_a_stranger_asks_is_approved_with_one_press_and_talks(
    emu: Emulator, ann: EmulatedUser, eve: EmulatedUser, start: Start, provider: ScriptedProvider, card: Card
) -> None:
    async with start() as bot:
        await ann.say("/ping")
        await emu.wait_for_message(ann.private_chat(), lambda message: message.text == "Bot ready")
        await eve.say("/start Eve from the choir")
        answer = await emu.wait_for_message(eve.private_chat())
        assert "request pending" in answer.text
        assert not (await user_of(bot, eve)).is_active
        asked = await card(ann.private_chat())
        assert asked.text == f"🔔 Eve ({eve.id}) asks for access.\nLanguage: en\n“Eve from the choir”"
        query = await ann.press(asked, APPROVE)
        told = await emu.wait_for_message(eve.private_chat(), lambda message: "approved" in message.text, after=answer)
        assert told.text.startswith("✅")
        decided = f"✅ Eve ({eve.id}): approved by Ann ({ann.id})"
        await emu.wait_for(lambda: asked.text == decided and not asked.buttons)
        await emu.wait_for(lambda: query.answer is not None and query.answer["text"] == decided)
        user = await user_of(bot, eve)
        assert (user.is_active, user.role, user.decided_by, user.reason) == (True, "user", ann.id, None)
        question = await eve.say("hello")
        reply = await emu.wait_for_message(eve.private_chat(), after=question)
        assert reply.text == "hello"
        assert await actions(bot) == [f"{ann.id} user.approve {eve.id}"]
    assert len(provider.requests) == 1


async def test_the_longest_names_leave_room_at_the_button(
    emu: Emulator, ann: EmulatedUser, start: Start, card: Card
) -> None:
    ann.first_name, ann.last_name = "A" * 64, "B" * 64
    stranger = emu.add_user(first_name="🐘" * 32, last_name="F" * 64, username="e" * 32)
    async with start():
        await ann.say("/ping")
        await emu.wait_for_message(ann.private_chat(), lambda message: message.text == "Bot ready")
        await stranger.say("/start")
        query = await ann.press(await card(ann.private_chat()), APPROVE)
        answer = await emu.wait_for(lambda: query.answer)
        assert str(answer["text"]).startswith("✅ 🐘")


async def test_approval_by_text(emu: Emulator, ann: EmulatedUser, eve: EmulatedUser, start: Start, card: Card) -> None:
    async with start() as bot:
        await eve.say("/start")
        asked = await card(ann.private_chat())
        await ann.say(f"/admin approve {eve.id}")
        await emu.wait_for(lambda: "approved by" in asked.text and not asked.buttons)
        assert (await user_of(bot, eve)).is_active


@pytest.mark.parametrize("outcome", ["❌ Decline: declined", "⛔ Block: can't use", "🕐 Guest for a day: as a guest"])
async def test_every_button_of_a_card(
    emu: Emulator, ann: EmulatedUser, eve: EmulatedUser, start: Start, card: Card, outcome: str
) -> None:
    button, _, word = outcome.partition(": ")
    async with start() as bot:
        await eve.say("/start")
        asked = await card(ann.private_chat())
        await ann.press(asked, button)
        await emu.wait_for_message(eve.private_chat(), lambda message: word in message.text)
        user = await user_of(bot, eve)
        assert user.status == {"declined": "denied", "can't use": "blocked", "as a guest": "active"}[word]
        assert (user.expires_at is not None) == (word == "as a guest")


async def test_a_person_asks_once(
    emu: Emulator, ann: EmulatedUser, eve: EmulatedUser, start: Start, card: Card
) -> None:
    async with start(access__answer_interval=0):
        for _ in range(3):
            asked = await eve.say("/start again")
            answer = await emu.wait_for_message(eve.private_chat(), after=asked)
            assert "request pending" in answer.text
        await card(ann.private_chat())
        await ann.say("/ping")
        await emu.wait_for_message(ann.private_chat(), lambda message: message.text == "Bot ready")
    assert len(ann.private_chat().bot_texts) == 2


async def test_cards_go_to_the_admin_chat_and_each_admin_and_the_first_press_wins(
    emu: Emulator, ann: EmulatedUser, bob: EmulatedUser, eve: EmulatedUser, start: Start, card: Card
) -> None:
    admins = emu.add_group(title="Admins", members=[ann, bob, eve])
    async with start(admin_chat_id=admins.id) as bot:
        await decide(bot, bob)
        await bot.core.users.set_role(bob.id, "admin", Actor(None, "shell"))
        await eve.say("/start")
        places = [admins, ann.private_chat(), bob.private_chat()]
        cards = [await card(place) for place in places]
        assert "просит доступ" in cards[2].text
        refused = await eve.press(cards[0], APPROVE)
        await emu.wait_for(lambda: refused.answer is not None)
        assert not (await user_of(bot, eve)).is_active
        await bob.press(cards[2], "❌ Отказать")
        await emu.wait_for(lambda: not any(message.buttons for message in cards))
        assert [f"({bob.id})" in message.text for message in cards] == [True, True, True]
        assert cards[1].text == f"❌ Eve ({eve.id}): declined by Bob ({bob.id})"
        late = ann._query(cards[1], f"access:approve:{eve.id}")
        await emu.wait_for(lambda: late.answer is not None and "already" in late.answer["text"])
        assert (await user_of(bot, eve)).status == "denied"
    assert len(eve.private_chat().bot_texts) == 2


async def test_of_two_presses_at_the_same_time_one_counts(
    emu: Emulator, ann: EmulatedUser, bob: EmulatedUser, eve: EmulatedUser, start: Start, card: Card
) -> None:
    async with start() as bot:
        await decide(bot, bob)
        await bot.core.users.set_role(bob.id, "admin", Actor(None, "shell"))
        await eve.say("/start")
        own, other = [await card(person.private_chat()) for person in (ann, bob)]
        presses = [await ann.press(own, APPROVE), await bob.press(other, "⛔ Заблокировать")]
        await emu.wait_for(lambda: all(press.answer for press in presses))
        await emu.wait_for(lambda: not own.buttons and not other.buttons)
        decided = [line for line in await actions(bot) if line.endswith(f" {eve.id}")]
        told = await emu.wait_for_message(eve.private_chat(), lambda message: message.text[0] in "✅⛔")
        assert len(decided) == 1
        winner = ann if "approve" in decided[0] else bob
        assert (await user_of(bot, eve)).decided_by == winner.id
        assert all(f"({winner.id})" in message.text for message in (own, other))
        assert told.text.startswith("✅" if winner is ann else "⛔")
    assert len(eve.private_chat().bot_texts) == 2


async def test_an_admin_chat_that_is_an_admins_own_gets_one_card(
    emu: Emulator, ann: EmulatedUser, eve: EmulatedUser, start: Start, card: Card
) -> None:
    async with start(admin_chat_id=ann.id):
        await eve.say("/start")
        asked = await card(ann.private_chat())
        await ann.press(asked, APPROVE)
        await emu.wait_for(lambda: not asked.buttons)
    assert len(ann.private_chat().bot_texts) == 1


@pytest.mark.parametrize("data", ["access:approve:{ann}", "access:block:{ann}", "access:approve:99", "access:approve:"])
async def test_forged_data_of_an_admin_changes_nothing(
    emu: Emulator, ann: EmulatedUser, eve: EmulatedUser, start: Start, card: Card, data: str
) -> None:
    async with start() as bot:
        await eve.say("/start")
        asked = await card(ann.private_chat())
        query = ann._query(asked, data.format(ann=ann.id))
        await emu.wait_for(lambda: query.answer is not None)
        assert (await user_of(bot, ann)).status == "active"
        assert await actions(bot) == []


@pytest.mark.parametrize("status", [None, "pending", "user", "guest", "denied", "blocked"])
@pytest.mark.parametrize(
    "data", ["access:approve:{eve}", "access:guest:{eve}", "access:block:{ann}", "access:approve:-5"]
)
async def test_forged_data_of_anybody_else_changes_nothing(
    emu: Emulator, ann: EmulatedUser, eve: EmulatedUser, start: Start, status: str | None, data: str
) -> None:
    room = emu.add_group(title="Room", members=[ann, eve])
    async with start(access__answer_interval=0) as bot:
        await bot.core.database.write(lambda conn: groups.request(conn, -5, "Team", 1))
        if status is not None and status != "pending":
            verdicts: dict[str, Verdict] = {"user": "approve", "guest": "guest", "denied": "deny", "blocked": "block"}
            await decide(bot, eve, verdicts[status])
        elif status == "pending":
            await eve.say("/start")
            await emu.wait_for_message(eve.private_chat())
        await ann.say("@demo_bot hello", chat=room)
        answer = await emu.wait_for_message(room, lambda message: message.from_bot and message.text.endswith(": hello"))
        before = await actions(bot)
        query = eve._query(answer, data.format(ann=ann.id, eve=eve.id))
        await emu.wait_for(lambda: query.answer is not None)
        assert await actions(bot) == before
        assert (await user_of(bot, ann)).role == "owner"


async def test_everything_else_of_a_stranger_is_answered_once_in_a_while(
    emu: Emulator, eve: EmulatedUser, start: Start, provider: ScriptedProvider
) -> None:
    async with start() as bot:
        for text in ("hello", "hello?", "/help", "HELLO"):
            await eve.say(text)
        await eve.say("/start")
        await emu.wait_for_message(eve.private_chat(), lambda message: "Access: request pending" in message.text)
        await eve.say("and now?")
        await bot.stop()
    assert len(eve.private_chat().bot_texts) == 2
    assert "/start" in eve.private_chat().bot_texts[0]
    assert not provider.requests


async def test_a_stranger_is_not_asked_whether_an_answer_arrived(
    emu: Emulator, eve: EmulatedUser, start: Start
) -> None:
    emu.faults.add(Fault.cut_after("sendMessage", chat_id=eve.private_chat().id))
    async with start(sending__resolve=False) as bot:
        await eve.say("hello")
        await emu.wait_for_message(eve.private_chat(), lambda message: message.from_bot)
        while not (await bot.core.database.read(outbox.counts)).get("uncertain"):
            await pause()
        await bot.stop()
    assert len(eve.private_chat().bot_texts) == 1


async def test_what_a_stranger_wrote_is_not_kept(
    emu: Emulator, ann: EmulatedUser, eve: EmulatedUser, start: Start
) -> None:
    room = emu.add_group(title="Room", members=[ann, eve])
    async with start() as bot:
        await eve.say("my secret is 4711")
        await emu.wait_for_message(eve.private_chat())
        await eve.say("the room's secret is 4711", chat=room)
        await eve.say("@demo_bot the secret of us two is 4711", chat=room)
        await emu.wait_for_message(room)
        payloads = await bot.core.database.read(
            lambda conn: [row[0] for row in conn.execute("SELECT payload FROM inbox")]
        )
    assert [json.loads(payload).keys() for payload in payloads] == [{"update_id"}] * 3


async def test_what_a_stranger_wrote_and_changed_before_it_was_looked_at_is_not_kept(
    emu: Emulator, eve: EmulatedUser, start: Start
) -> None:
    await eve.edit(await eve.say("my secret is 4711"), "my secret is 1174")
    async with start() as bot:
        await emu.wait_for_message(eve.private_chat(), lambda message: message.from_bot)
        await bot.stop()
        payloads = await bot.core.database.read(
            lambda conn: [row[0] for row in conn.execute("SELECT payload FROM inbox")]
        )
    assert [json.loads(payload).keys() for payload in payloads] == [{"update_id"}] * 2


async def test_a_declined_person_may_ask_again_later(
    emu: Emulator, ann: EmulatedUser, eve: EmulatedUser, start: Start
) -> None:
    async with start(access__answer_interval=0) as bot:
        await decide(bot, eve, "deny")
        asked = await eve.say("/start please")
        answer = await emu.wait_for_message(eve.private_chat(), lambda message: "may ask again" in message.text)
        assert answer.id > asked.id
        assert ann.private_chat().bot_texts == []
    async with start(access__answer_interval=0, access__ask_again_days=0):
        await eve.say("/start please")
        await emu.wait_for_message(ann.private_chat(), lambda message: "asks for access" in message.text)


@pytest.mark.parametrize("status", ["deny", "block"])
async def test_the_turn_of_somebody_who_is_kept_out_is_stopped(
    emu: Emulator, ann: EmulatedUser, eve: EmulatedUser, start: Start, provider: ScriptedProvider, status: str
) -> None:
    provider.answer("Once upon", asyncio.Event())
    async with start() as bot:
        await decide(bot, eve)
        await eve.say("a story")
        await emu.wait_for(lambda: provider.open_streams)
        await ann.say(f"/admin {status} {eve.id}")
        await asyncio.wait_for(bot.core.running.wait_idle(), 10)
    assert provider.open_streams == 0


async def test_a_veto_on_the_next_message_ends_the_turn_that_runs(
    emu: Emulator, eve: EmulatedUser, start: Start, provider: ScriptedProvider
) -> None:
    class Door:
        closed = False

        @hookimpl
        def tgllm_plugin_info(self) -> PluginInfo:
            return PluginInfo(id="door", title="Door", api="1.0")

        @hookimpl
        def tgllm_authorize(self, user: UserInfo, chat: ChatInfo, action: str) -> Decision | None:
            return Decision.deny("Closed.") if self.closed else None

    door = Door()
    provider.answer("Once upon", asyncio.Event())
    room = emu.add_group(title="Room", members=[eve])
    async with start(plugins=[GivenPlugin.of("door", door)]) as bot:
        await decide(bot, eve)
        await eve.say("@demo_bot a story", chat=room)
        await emu.wait_for(lambda: provider.open_streams)
        door.closed = True
        await eve.say("and now?")
        await emu.wait_for_message(eve.private_chat(), lambda message: message.text == "Closed.")
        await emu.wait_for(lambda: not provider.open_streams)


async def test_a_veto_holds_for_presses_and_for_guests_of_a_group(
    emu: Emulator, ann: EmulatedUser, eve: EmulatedUser, start: Start, provider: ScriptedProvider
) -> None:
    seen: list[tuple[str | None, str]] = []

    class Door:
        @hookimpl
        def tgllm_plugin_info(self) -> PluginInfo:
            return PluginInfo(id="door", title="Door", api="1.0")

        @hookimpl
        def tgllm_authorize(self, user: UserInfo, chat: ChatInfo, action: str) -> Decision | None:
            seen.append((user.role, action))
            return Decision.deny("Closed.") if user.id == eve.id else None

    room = emu.add_group(title="Room", members=[ann, eve])
    async with start(plugins=[GivenPlugin.of("door", Door())]) as bot:
        await open_group(bot, room)
        await ann.say("@demo_bot hello", chat=room)
        answer = await emu.wait_for_message(room, lambda message: message.from_bot and message.text.endswith(": hello"))
        await eve.say("@demo_bot hello too", chat=room)
        await emu.wait_for_message(room, lambda message: message.text == "Closed.")
        query = eve._query(answer, "stop:1")
        await emu.wait_for(lambda: query.answer is not None and query.answer["text"] == "Closed.")
    assert ("guest", "message") in seen
    assert ("guest", "button") in seen
    assert len(provider.requests) == 1


# Groups.


async def open_group(bot: RunningBot, chat: EmulatedChat, status: groups.GroupStatus = "active") -> None:
    await bot.core.database.write(decide_group(chat, status, "Room"))


async def test_in_a_group_that_was_let_in_everybody_talks_and_is_nobody_elsewhere(
    emu: Emulator, eve: EmulatedUser, start: Start, provider: ScriptedProvider
) -> None:
    room = emu.add_group(title="Room", members=[eve])
    async with start() as bot:
        await open_group(bot, room)
        await eve.say("@demo_bot hello", chat=room)
        await emu.wait_for_message(room, lambda message: message.from_bot and message.text.endswith(": hello"))
        await eve.say("hello")
        answer = await emu.wait_for_message(eve.private_chat())
        user = await user_of(bot, eve)
    assert "private bot" in answer.text
    assert (user.status, user.requested_at) == ("pending", None)
    assert len(provider.requests) == 1


@pytest.mark.parametrize("verdict", ["deny", "block"])
async def test_whoever_was_kept_out_is_kept_out_of_groups_too(
    emu: Emulator, ann: EmulatedUser, eve: EmulatedUser, start: Start, provider: ScriptedProvider, verdict: Verdict
) -> None:
    room = emu.add_group(title="Room", members=[ann, eve])
    async with start() as bot:
        await open_group(bot, room)
        await decide(bot, eve, verdict)
        await eve.say("@demo_bot hello", chat=room)
        await emu.wait_for_message(room)
    assert not provider.requests


async def test_in_a_group_that_waits_only_people_let_in_themselves_are_answered(
    emu: Emulator, bob: EmulatedUser, eve: EmulatedUser, ann: EmulatedUser, start: Start, provider: ScriptedProvider
) -> None:
    room = emu.add_group(title="Room", members=[bob, eve])
    async with start() as bot:
        await decide(bot, bob)
        await eve.say("@demo_bot first", chat=room)
        pending = await emu.wait_for_message(room)
        assert "request pending" in pending.text
        await bob.say("@demo_bot second", chat=room)
        await emu.wait_for_message(room, lambda message: message.from_bot and message.text.endswith(": second"))
        await eve.say("@demo_bot third", chat=room)
        asked = await emu.wait_for_message(ann.private_chat(), lambda message: "group" in message.text)
        assert asked.text == (
            f"🔔 Request for access for the group Room ({room.id}). If you approve it, everybody there can use the bot."
        )
        await ann.press(asked, APPROVE)
        await emu.wait_for_message(room, lambda message: "has been approved" in message.text)
        await eve.say("@demo_bot fourth", chat=room)
        await emu.wait_for_message(room, lambda message: message.from_bot and message.text.endswith(": fourth"))
        await emu.wait_for(lambda: asked.text == f"✅ Room ({room.id}): approved by Ann ({ann.id})")
    assert [question.partition(": ")[2] for question in provider.questions] == ["second", "fourth"]


async def test_in_a_declined_group_only_admins_are_answered(
    emu: Emulator, ann: EmulatedUser, bob: EmulatedUser, eve: EmulatedUser, start: Start, provider: ScriptedProvider
) -> None:
    room = emu.add_group(title="Room", members=[ann, bob, eve])
    async with start() as bot:
        await open_group(bot, room, "denied")
        await decide(bot, bob)
        for person in (bob, eve, ann):
            await person.say(f"@demo_bot {person.first_name}", chat=room)
        await emu.wait_for_message(room, lambda message: message.from_bot and message.text.endswith(": Ann"))
    assert len(provider.requests) == 1
    assert room.bot_texts == ["⛔ В этой группе я не отвечаю.", "Ann: Ann"]


async def test_somebody_let_in_who_talks_in_an_unknown_group_asks_for_it(
    emu: Emulator, ann: EmulatedUser, bob: EmulatedUser, start: Start, card: Card
) -> None:
    room = emu.add_group(title="Room", members=[bob])
    async with start() as bot:
        await decide(bot, bob)
        await bob.say("@demo_bot hello", chat=room)
        await emu.wait_for_message(room, lambda message: message.from_bot and message.text.endswith(": hello"))
        asked = await card(ann.private_chat())
        assert f"Asked by Bob ({bob.id})" in asked.text


async def test_an_admin_who_brings_the_bot_lets_the_group_in(
    emu: Emulator, ann: EmulatedUser, eve: EmulatedUser, start: Start
) -> None:
    room = emu.add_group(title="Room", members=[ann, eve], bots=[])
    async with start() as bot:
        await ann.add(room, emu.bot)
        await emu.wait_for_message(room, lambda message: "has been approved" in message.text)
        await eve.say("@demo_bot hello", chat=room)
        await emu.wait_for_message(room, lambda message: message.from_bot and message.text.endswith(": hello"))
        assert await actions(bot) == [f"{ann.id} group.approve {room.id}"]


async def test_anybody_else_who_brings_the_bot_asks_for_the_group(
    emu: Emulator, ann: EmulatedUser, eve: EmulatedUser, start: Start, card: Card
) -> None:
    room = emu.add_group(title="Room", members=[eve], bots=[])
    async with start() as bot:
        await eve.add(room, emu.bot)
        pending = await emu.wait_for_message(room, lambda message: "request pending" in message.text)
        asked = await card(ann.private_chat())
        assert asked.labels == [APPROVE, "❌ Decline"]
        await ann.press(asked, "❌ Decline")
        await emu.wait_for_message(room, lambda message: "don't answer" in message.text, after=pending)
        found = await group_of(bot, room)
        assert found is not None
        assert (found.status, found.decided_by) == ("denied", ann.id)


async def test_a_group_that_has_been_let_in_needs_no_request_when_the_bot_comes_back(
    emu: Emulator, ann: EmulatedUser, eve: EmulatedUser, start: Start
) -> None:
    room = emu.add_group(title="Room", members=[ann, eve], bots=[])
    async with start():
        await ann.add(room, emu.bot)
        told = await emu.wait_for_message(room, lambda message: "has been approved" in message.text)
        await eve.remove(room, emu.bot)
        await eve.add(room, emu.bot)
        await eve.say("@demo_bot hello", chat=room)
        answer = await emu.wait_for_message(room, lambda message: message.from_bot, after=told)
    assert answer.text == "Eve: hello"
    assert ann.private_chat().bot_texts == []


async def test_a_group_that_there_is_no_room_for_is_told_so(emu: Emulator, eve: EmulatedUser, start: Start) -> None:
    first, second = (emu.add_group(title=title, members=[eve], bots=[]) for title in ("First", "Second"))
    async with start(access__most_pending=1) as bot:
        await eve.add(first, emu.bot)
        await emu.wait_for_message(first, lambda message: "request pending" in message.text)
        await eve.add(second, emu.bot)
        await emu.wait_for_message(second, lambda message: "So many people ask" in message.text)
        assert await group_of(bot, second) is None


async def test_talk_in_a_group_that_there_is_no_room_for_asks_for_it_once_in_ten_minutes(
    emu: Emulator, ann: EmulatedUser, bob: EmulatedUser, start: Start, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[int] = []
    request_in = GroupAccess.request_in

    def count(self: GroupAccess, conn: Connection, chat_id: int, title: str, by: int) -> Asked:
        asked.append(chat_id)
        return request_in(self, conn, chat_id, title, by)

    monkeypatch.setattr(GroupAccess, "request_in", count)
    clock, room = ManualClock(), emu.add_group(title="Room", members=[bob])

    async def talk(text: str) -> None:
        said = await bob.say(f"@demo_bot {text}", chat=room)
        await emu.wait_for_message(room, lambda message: message.text.endswith(text), after=said)

    async with start(clock=clock, access__most_pending=1, budgets__messages_per_minute=99) as bot:
        await decide(bot, bob)
        await bot.core.database.write(lambda conn: groups.request(conn, -5, "First", 1))
        for text in ("one", "two", "three"):
            await talk(text)
        assert asked == [room.id]
        await clock.advance(600)
        await bot.core.database.write(lambda conn: bot.core.access.groups.decide_in(conn, -5, "deny", SHELL))
        await talk("four")
        assert asked == [room.id] * 2
        assert await group_of(bot, room) is not None


async def test_a_blocked_person_does_not_ask_for_groups(
    emu: Emulator, ann: EmulatedUser, eve: EmulatedUser, start: Start
) -> None:
    room = emu.add_group(title="Room", members=[eve], bots=[])
    async with start() as bot:
        await decide(bot, eve, "block")
        await eve.add(room, emu.bot)
        await ann.say("/ping")
        await emu.wait_for_message(ann.private_chat(), lambda message: message.from_bot)
        assert await group_of(bot, room) is None
        await bot.stop()
    assert room.bot_texts == []
    assert ann.private_chat().bot_texts == ["Bot ready"]


async def test_whoever_only_talks_to_others_in_a_group_is_not_remembered(
    emu: Emulator, ann: EmulatedUser, eve: EmulatedUser, start: Start
) -> None:
    room = emu.add_group(title="Room", members=[ann, eve])
    await ann.promote(room, emu.bot)
    async with start() as bot:
        await bot.core.database.write(lambda conn: bot.core.access.groups.approve_by(conn, room.id, "", SHELL))
        await eve.say("hello all", chat=room)
        await ann.say("@demo_bot hello", chat=room)
        await emu.wait_for_message(room, lambda message: message.from_bot and message.text.endswith("hello"))
        assert await bot.core.database.read(lambda conn: users.get(conn, eve.id)) is None
        await eve.say("@demo_bot me too", chat=room)
        await emu.wait_for_message(room, lambda message: message.from_bot and message.text.endswith("me too"))
        assert (await user_of(bot, eve)).status == "pending"


@pytest.mark.parametrize("button", [APPROVE, "❌ Decline"])
async def test_the_card_of_a_group_that_has_become_a_supergroup_decides_on_that(
    emu: Emulator, ann: EmulatedUser, eve: EmulatedUser, start: Start, card: Card, button: str
) -> None:
    room = emu.add_group(title="Room", members=[eve], bots=[], is_basic=True)
    async with start() as bot:
        await eve.add(room, emu.bot)
        asked = await card(ann.private_chat())
        grown = await eve.upgrade(room)
        await ann.say("/ping")
        await emu.wait_for_message(ann.private_chat(), lambda message: message.text == "Bot ready")
        await ann.press(asked, button)
        await emu.wait_for(lambda: not asked.buttons)
        assert f"Room ({grown.id})" in asked.text
        found = await group_of(bot, grown)
        assert found is not None
        assert found.status == ("active" if button == APPROVE else "denied")
        await emu.wait_for_message(grown, lambda message: message.from_bot)


# Invite links.


async def invite(emu: Emulator, admin: EmulatedUser, arguments: str = "") -> str:
    """What follows ``start=`` in a new link."""
    asked = await admin.say(f"/admin invite {arguments}".strip())
    answer = await emu.wait_for_message(admin.private_chat(), lambda message: "?start=" in message.text, after=asked)
    return answer.text.partition("?start=")[2].split()[0]


async def test_an_invite_link_lets_one_person_in(
    emu: Emulator, ann: EmulatedUser, eve: EmulatedUser, bob: EmulatedUser, start: Start, card: Card
) -> None:
    async with start() as bot:
        token = await invite(emu, ann)
        await eve.say(f"/start {token}")
        await emu.wait_for_message(eve.private_chat(), lambda message: "approved" in message.text)
        assert ((await user_of(bot, eve)).is_active, (await user_of(bot, eve)).role) == (True, "user")
        await bob.say(f"/start {token}")
        answer = await emu.wait_for_message(bob.private_chat())
        assert "ссылка" in answer.text.casefold()
        assert "request pending" in answer.text
        assert token not in (await card(ann.private_chat())).text
        assert [line.split()[1] for line in await actions(bot)] == ["invite.create", "user.invite"]


async def test_a_link_for_several_closes_the_cards_of_those_who_asked(
    emu: Emulator, ann: EmulatedUser, eve: EmulatedUser, bob: EmulatedUser, start: Start, card: Card
) -> None:
    async with start() as bot:
        await eve.say("/start")
        asked = await card(ann.private_chat())
        token = await invite(emu, ann, "2 48")
        for person in (eve, bob):
            await person.say(f"/start {token}")
        await emu.wait_for(lambda: "invite link of Ann" in asked.text or "invite link" in asked.text)
        await emu.wait_for_message(bob.private_chat())
        assert (await user_of(bot, bob)).is_active


async def test_a_blocked_person_is_not_let_in_by_a_link(
    emu: Emulator, ann: EmulatedUser, eve: EmulatedUser, start: Start
) -> None:
    async with start() as bot:
        await decide(bot, eve, "block")
        token = await invite(emu, ann)
        await eve.say(f"/start {token}")
        await emu.wait_for_message(eve.private_chat(), lambda message: "does not work" in message.text)
        assert (await user_of(bot, eve)).status == "blocked"


async def test_a_revoked_link_lets_nobody_in(emu: Emulator, ann: EmulatedUser, eve: EmulatedUser, start: Start) -> None:
    async with start() as bot:
        token = await invite(emu, ann)
        asked = await ann.say("/admin invites")
        listed = await emu.wait_for_message(ann.private_chat(), after=asked)
        await ann.press(listed, "❌ 1")
        await emu.wait_for(lambda: not any(button.text == "❌ 1" for button in listed.buttons))
        await eve.say(f"/start {token}")
        await emu.wait_for_message(eve.private_chat(), lambda message: "does not work" in message.text)
        assert (await user_of(bot, eve)).status == "pending"


@pytest.mark.sqlite  # reads the file
async def test_a_link_is_stored_nowhere(emu: Emulator, ann: EmulatedUser, eve: EmulatedUser, start: Start) -> None:
    async with start() as bot:
        token = await invite(emu, ann, "5")
        await eve.say(f"/start {token}")
        await emu.wait_for_message(eve.private_chat(), lambda message: "approved" in message.text)
        await upkeep_of(bot).look()
        await bot.core.database.checkpoint()
        path = bot.core.database.path
        for file in (path, path.with_name(f"{path.name}-wal")):
            assert token.encode() not in file.read_bytes()


async def test_what_looks_like_no_link_is_a_reason(
    emu: Emulator, ann: EmulatedUser, eve: EmulatedUser, start: Start, card: Card
) -> None:
    async with start():
        await eve.say("/start inv_ite me")
        assert "“inv_ite me”" in (await card(ann.private_chat())).text


async def test_cards_are_closed_after_a_restart_too(
    emu: Emulator, ann: EmulatedUser, eve: EmulatedUser, start: Start, card: Card
) -> None:
    async with start():
        await eve.say("/start")
        asked = await card(ann.private_chat())
    async with start() as bot:
        await bot.core.users.decide(eve.id, "approve", Actor(None, "shell"))
        await emu.wait_for(lambda: asked.text == f"✅ Eve ({eve.id}): approved by the operator" and not asked.buttons)


async def test_a_guest_whose_time_ended_while_the_bot_was_down_is_told_at_its_start(
    emu: Emulator, eve: EmulatedUser, start: Start, provider: ScriptedProvider
) -> None:
    eve.private_chat()
    async with start() as bot:
        await decide(bot, eve, "guest")
        await emu.wait_for_message(eve.private_chat())
        await bot.core.database.write(lambda conn: users.set_status(conn, eve.id, "active", 1, expires_at=2))
    async with start() as bot:
        await emu.wait_for_message(eve.private_chat(), lambda message: "time as a guest is over" in message.text)
        await eve.say("hello?")
        await emu.wait_for_message(eve.private_chat(), lambda message: "no request pending" in message.text)
    assert not provider.requests
