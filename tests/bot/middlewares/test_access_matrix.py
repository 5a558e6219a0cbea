"""Who may do what: every command, button and type of update by every role, wherever it comes from."""

import asyncio
import json
from collections.abc import Awaitable, Callable, Iterable, Sequence
from typing import Any, NamedTuple

import pytest

from bot_support import Ask, Menus, Start, decide_group, settled
from tgllm import hookimpl
from tgllm.api import ChatCommand, CommandCall, PluginInfo, RateLimited, UserInfo
from tgllm.bot.admin.assembly import admin_table
from tgllm.bot.admin.table import AdminCommand
from tgllm.bot.assembly import own_commands, press_actions
from tgllm.bot.ui.command_table import may_use
from tgllm.bot.updates.raw import ALLOWED_UPDATES
from tgllm.db.engine.unit import Connection
from tgllm.db.tables import audit, groups, inbox, outbox, users
from tgllm.db.tables.groups import GroupStatus
from tgllm.db.tables.users import Role, Status
from tgllm.i18n import Catalogue
from tgllm.i18n.catalogue import texts_of
from tgllm.testing.bot import RunningBot
from tgllm.testing.emulator import Emulator, Fault
from tgllm.testing.emulator.state.records import EmulatedChat, EmulatedMessage, EmulatedTopic
from tgllm.testing.emulator.users import EmulatedUser
from tgllm.testing.scripted import GivenPlugin, ScriptedProvider

BYSTANDER = 77
"""Somebody whom every forbidden command tries to change."""
APPROVED: Sequence[Role] = ("guest", "user", "admin")
PLACES = ("private", "group", "topic", "direct")
Place = tuple[EmulatedChat | None, EmulatedTopic | None]


class Outsider(NamedTuple):
    """Somebody who is kept out: where they are, how they stand, and how it is with the group."""

    place: str
    status: Status | None
    group: GroupStatus | None = None


KEPT_OUT = [Outsider("private", status) for status in (None, "pending", "denied", "blocked")] + [
    Outsider(place, status, group)
    for place in ("group", "topic")
    for status, group in (
        (None, None),
        ("pending", "pending"),
        ("active", "denied"),
        ("denied", "active"),
        ("blocked", "active"),
    )
]
# In direct messages of a channel the person counts, whatever is decided about a group with that id.
KEPT_OUT += [Outsider("direct", status, "active") for status in (None, "pending", "denied", "blocked")]
REFUSALS = {"Only admins of the bot can use this command.", "Only owners of the bot can use this command."}
STATES = tuple(
    str(text).partition("{")[0]
    for key, text in texts_of("en").items()
    if key.startswith(("access.state_", "access.not_approved", "access.group_"))
)


class Locked:
    """A plugin with a command for admins and one for owners."""

    @hookimpl
    def tgllm_plugin_info(self) -> PluginInfo:
        return PluginInfo(id="locked", title="Locked", api="1.0")

    @hookimpl
    def tgllm_commands(self) -> Sequence[ChatCommand]:
        return (
            ChatCommand("onlyadmin", "For admins", self._run, access="admin"),
            ChatCommand("onlyowner", "For owners", self._run, access="owner"),
        )

    async def _run(self, _call: CommandCall) -> str:
        return "Done."


def become(person: EmulatedUser, role: Role, status: Status) -> Callable[[Connection], object]:
    """The piece of work that gives somebody a role and a status, and makes the bystander known."""

    def unit(conn: Connection) -> None:
        for user_id in (person.id, BYSTANDER):
            users.upsert_seen(conn, users.SeenUser(user_id, first_name="Somebody"), 1)
        users.set_status(conn, person.id, status, 1)
        users.set_role(conn, person.id, role, 1)

    return unit


async def standing(bot: RunningBot) -> object:
    """All that an admin command could change: decisions, and the trail of changes."""

    def read(conn: Connection) -> object:
        people = [(user.id, user.role, user.status, user.expires_at) for user in users.list_all(conn)]
        return sorted(people), audit.count(conn)

    return await bot.core.database.read(read)


def lines(role: Role) -> list[str]:
    """Every admin command that the role may not run, with arguments that would do something."""
    user = UserInfo(1, "", role)
    return [line_of(row) for row in admin_table().rows if not may_use(user, row.access)]


def line_of(row: AdminCommand) -> str:
    arguments = {
        "user": f"{BYSTANDER} approve",
        "role": f"{BYSTANDER} admin",
        "budget": f"{BYSTANDER} set requests/day 1",
        "broadcast": "hello",
    }
    return f"{row.name} {arguments.get(row.name, str(BYSTANDER))}"


@pytest.mark.parametrize("role", APPROVED)
async def test_no_admin_command_is_run_for_a_lower_role(
    emu: Emulator, ask: Ask, ann: EmulatedUser, eve: EmulatedUser, start: Start, menus: Menus, role: Role
) -> None:
    group = emu.add_group(title="Team", members=[ann, eve])
    forum = emu.add_group(title="Forum", members=[ann, eve])
    topic = emu.add_topic(forum, "Topic")
    channel = emu.add_direct_messages(title="News")
    places: list[Place] = [(None, None), (group, None), (forum, topic), (channel, None)]
    async with start() as bot:
        await bot.core.database.write(become(eve, role, "active"))
        before = await standing(bot)
        for chat, topic_there in places:
            shown = await menus.ask(eve, "/ping@demo_bot", chat=chat, topic=topic_there)
            for line in lines(role):
                if role != "admin":
                    said = await menus.ask(eve, f"/admin@demo_bot {line}", chat=chat, topic=topic_there)
                    assert said.text in REFUSALS, line
                assert await menus.toast(eve, shown, f"admin:{line}") in REFUSALS, line
        assert await standing(bot) == before


def place_of(emu: Emulator, place: str, *members: EmulatedUser) -> Place:
    """A private chat, a group or a topic, as ``say`` takes it."""
    if place == "private":
        return None, None
    if place == "direct":
        return emu.add_direct_messages(title="News"), None
    group = emu.add_group(title="Team", members=members)
    return group, emu.add_topic(group, "Topic") if place == "topic" else None


@pytest.mark.parametrize("outsider", KEPT_OUT, ids=lambda outsider: "-".join(map(str, outsider)))
async def test_whoever_is_kept_out_gets_nothing_but_word_of_that(
    emu: Emulator,
    ann: EmulatedUser,
    eve: EmulatedUser,
    start: Start,
    provider: ScriptedProvider,
    menus: Menus,
    outsider: Outsider,
) -> None:
    chat, topic = place_of(emu, outsider.place, ann, eve)
    async with start(access__answer_interval=0, access__answers_per_hour=100_000) as bot:
        await bot.core.database.write(become(emu.add_user(first_name="Bob"), "user", "active"))
        if outsider.status is not None:
            await bot.core.database.write(become(eve, "user", outsider.status))
        if outsider.group is not None and chat is not None:
            await bot.core.database.write(decide_group(chat, outsider.group))
        shown = await menus.ask(ann, "/help@demo_bot", chat=chat, topic=topic)
        before, whole = await standing(bot), len(shown.chat.messages)
        presses = [f"{action.word}:1" for action in press_actions()] + [f"admin:{line}" for line in lines("user")]
        for toast in await asyncio.gather(*(menus.toast(eve, shown, data) for data in presses)):
            assert toast.startswith(STATES)
        for line in lines("user"):
            await eve.say(f"/admin@demo_bot {line}", chat=chat, topic=topic)
        for command in own_commands(Catalogue()):
            if command.name != "start":
                await eve.say(f"/{command.name}@demo_bot {BYSTANDER}", chat=chat, topic=topic)
        said = await eve.say("@demo_bot hello", chat=chat, topic=topic)
        await eve.edit(said, "@demo_bot hello again")
        # In a private chat and in direct messages she does not see Ann's messages.
        await eve.say("hello", chat=chat, topic=topic, reply_to=shown if outsider.place in {"group", "topic"} else None)
        await eve.upload(b"x", caption="@demo_bot /admin stats", chat=chat, topic=topic)
        await settled(emu, bot)
        assert await standing(bot) == before
    answers = [message for message in said.chat.messages[whole if chat is not None else 0 :] if message.from_bot]
    assert len(answers) > len(lines("user"))
    assert [message.text for message in answers if not message.text.startswith(STATES)] == []
    assert {message.topic for message in answers} == {topic}
    assert {message.direct_topic for message in answers} == {said.direct_topic}
    assert not provider.requests


@pytest.mark.parametrize("place", PLACES)
@pytest.mark.parametrize("role", APPROVED)
async def test_each_command_of_a_higher_role_is_refused(
    emu: Emulator, ann: EmulatedUser, eve: EmulatedUser, start: Start, menus: Menus, role: Role, place: str
) -> None:
    user, (chat, topic) = UserInfo(1, "", role), place_of(emu, place, ann, eve)
    async with start(plugins=[GivenPlugin.of("locked", Locked())]) as bot:
        await bot.core.database.write(become(eve, role, "active"))
        shown = await menus.ask(ann, "/help@demo_bot", chat=chat, topic=topic)
        commands = [*own_commands(Catalogue()), *Locked().tgllm_commands()]
        names = [command.name for command in commands if not may_use(user, command.access)]
        for name in names:
            said = await menus.ask(eve, f"/{name}@demo_bot", chat=chat, topic=topic)
            assert (said.text in REFUSALS, said.topic) == (True, topic), name
        for action in press_actions():
            if not may_use(user, action.access):
                assert await menus.toast(eve, shown, f"{action.word}:1") in REFUSALS
    assert names[-1] == "onlyowner"


LIKE_MESSAGES = ("channel_post", "edited_channel_post", "business_message", "edited_business_message", "guest_message")


def foreign_updates(sender: EmulatedUser) -> dict[str, dict[str, Any]]:
    """Updates of somebody that the bot does not ask for.

    Telegram may send such ones all the same at the bot's start. Bot API: getUpdates, allowed_updates.
    """
    who = {"id": sender.id, "is_bot": False, "first_name": sender.first_name}
    place = {"id": sender.id, "type": "private", "first_name": sender.first_name}
    message = {"message_id": 900, "date": 1, "chat": place, "from": who, "text": f"/admin block {BYSTANDER}"}
    member = {"status": "member", "user": who}
    return {
        **dict.fromkeys(LIKE_MESSAGES, message),
        "message_reaction": {
            "chat": place,
            "message_id": 1,
            "user": who,
            "date": 1,
            "old_reaction": [],
            "new_reaction": [],
        },
        "inline_query": {"id": "1", "from": who, "query": "hello", "offset": ""},
        "chosen_inline_result": {"result_id": "1", "from": who, "query": "hello"},
        "poll_answer": {"poll_id": "1", "user": who, "option_ids": [0]},
        "chat_member": {"chat": place, "from": who, "date": 1, "old_chat_member": member, "new_chat_member": member},
        "chat_join_request": {"chat": place, "from": who, "user_chat_id": sender.id, "date": 1},
    }


@pytest.mark.parametrize("role", [None, "owner"])
async def test_updates_that_the_bot_does_not_ask_for_do_nothing_and_are_not_kept(
    emu: Emulator, ann: EmulatedUser, eve: EmulatedUser, start: Start, provider: ScriptedProvider, role: Role | None
) -> None:
    sender = eve if role is None else ann
    sender.private_chat()
    updates = foreign_updates(sender)
    assert not set(updates) & set(ALLOWED_UPDATES)
    async with start() as bot:
        await bot.core.database.write(become(emu.add_user(first_name="Bob"), "user", "active"))
        before = await standing(bot)
        numbers = [emu.inject_update({kind: body}) for kind, body in updates.items()]
        await settled(emu, bot)
        rows = [await bot.core.database.read(lambda conn, number=number: inbox.get(conn, number)) for number in numbers]
        assert await standing(bot) == before
    found = {kind: (row.state, json.loads(row.payload).keys()) for kind, row in zip(updates, rows, strict=True) if row}
    assert found == dict.fromkeys(updates, ("done", {"update_id"}))
    assert sender.private_chat().messages == []
    assert not provider.requests


async def test_of_strangers_who_block_the_bot_or_bring_it_somewhere_only_the_request_is_kept(
    emu: Emulator, eve: EmulatedUser, start: Start
) -> None:
    room = emu.add_group(title="Room", members=[eve], bots=[])
    async with start() as bot:
        await eve.block()
        await eve.unblock()
        await eve.add(room, emu.bot)
        await emu.wait_for_message(room)
        await eve.remove(room, emu.bot)
        await settled(emu, bot)
        payloads = await bot.core.database.read(
            lambda conn: [row[0] for row in conn.execute("SELECT payload FROM inbox WHERE kind = 'my_chat_member'")]
        )
        asked = await bot.core.database.read(lambda conn: groups.get(conn, room.id))
    assert [json.loads(payload).keys() for payload in payloads] == [{"update_id"}] * 4
    assert asked is not None
    assert asked.requested_by == eve.id


async def test_a_button_works_for_whoever_may_and_for_nobody_else(
    emu: Emulator, ask: Ask, ann: EmulatedUser, eve: EmulatedUser, start: Start, menus: Menus
) -> None:
    admins = emu.add_group(title="Admins", members=[ann, eve])
    async with start(admin_chat_id=admins.id) as bot:
        await bot.core.database.write(become(eve, "user", "active"))
        card = await ask(f"/admin@demo_bot user {BYSTANDER}", chat=admins)
        before = await standing(bot)
        assert await menus.toast(eve, card, f"admin:user {BYSTANDER} approve") in REFUSALS
        assert await standing(bot) == before
        assert await menus.toast(ann, card, f"admin:user {BYSTANDER} approve") == "Done."
        assert await standing(bot) != before


async def test_somebody_who_is_no_admin_any_more_has_no_button_left(
    emu: Emulator, ann: EmulatedUser, eve: EmulatedUser, start: Start, menus: Menus
) -> None:
    async with start() as bot:
        await bot.core.database.write(become(eve, "admin", "active"))
        menu = await menus.ask(eve, "/admin")
        await bot.core.database.write(become(eve, "user", "active"))
        before = menu.text
        assert await menus.toast(eve, menu, "admin:stats") in REFUSALS
        assert menu.text == before


@pytest.mark.parametrize("argument", ["", ":", "-", "9" * 40, "-" + "9" * 40, "²:٣", "x y z", "user:9:9", "..:/"])
async def test_data_that_no_button_has_is_no_error(
    emu: Emulator, ann: EmulatedUser, start: Start, menus: Menus, argument: str
) -> None:
    async with start() as bot:
        shown = await menus.ask(ann, "/help")
        words = [action.word for action in press_actions()]
        words += [f"admin:{row.name} {argument}" for row in admin_table().rows if row.name not in {"backup", "refresh"}]
        for word in words:
            await menus.toast(ann, shown, f"{word}:{argument}"[:64])
        counts = await bot.core.database.read(inbox.counts)
    assert "failed" not in counts


async def test_in_other_groups_admins_are_shown_nothing(
    emu: Emulator, ann: EmulatedUser, eve: EmulatedUser, start: Start, menus: Menus
) -> None:
    group, forum = (emu.add_group(title=title, members=[ann, eve]) for title in ("Team", "Forum"))
    topic = emu.add_topic(forum, "Topic")
    channel = emu.add_direct_messages(title="News")
    places: list[tuple[EmulatedChat, EmulatedTopic | None]] = [(group, None), (forum, topic), (channel, None)]
    async with start() as bot:
        await bot.core.database.write(become(eve, "admin", "active"))
        before = await standing(bot)
        for chat, topic_there in places:
            shown = await menus.ask(eve, "/ping@demo_bot", chat=chat, topic=topic_there)
            for row in admin_table().rows:
                if may_use(UserInfo(1, "", "admin"), row.access):
                    line = line_of(row)
                    said = await menus.ask(eve, f"/admin@demo_bot {line}", chat=chat, topic=topic_there)
                    assert said.text.startswith("This works in private"), line
                    assert (await menus.toast(eve, shown, f"admin:{line}")).startswith("This works in private"), line
            assert shown.text == "Bot ready"
        assert await standing(bot) == before


Act = Callable[[EmulatedUser, EmulatedMessage, EmulatedTopic | None], Awaitable[None]]


async def says(person: EmulatedUser, text: str, chat: EmulatedChat, topic: EmulatedTopic | None) -> None:
    await person.say(f"{text}@demo_bot", chat=chat, topic=topic)


async def presses(person: EmulatedUser, shown: EmulatedMessage, label: str) -> None:
    await person.press(shown, label)


STOPS: dict[str, Act] = {
    "button": lambda person, shown, _topic: presses(person, shown, "Stop"),
    "stop": lambda person, shown, topic: says(person, "/stop", shown.chat, topic),
    "cancel": lambda person, shown, topic: says(person, "/cancel", shown.chat, topic),
}
AGAIN: dict[str, Act] = {
    "button": lambda person, shown, _topic: presses(person, shown, "Regenerate"),
    "failed": lambda person, shown, _topic: presses(person, shown, "Try again"),
    "retry": lambda person, shown, topic: says(person, "/retry", shown.chat, topic),
}


class Case(NamedTuple):
    """Somebody in a group who does something with the answer to another one; without a role, the group lets them in."""

    place: str
    role: Role | None
    how: str


def cases(ways: Iterable[str]) -> list[Case]:
    roles: tuple[Role | None, ...] = (None, "guest", "user", "admin", "owner")
    return [Case(place, role, how) for place in ("group", "topic") for role in roles for how in ways]


NOT_THEIRS = "Ann asked this. Only they and the bot's admins can do that."


def was_refused(emu: Emulator, shown: EmulatedMessage) -> bool:
    """Whether somebody was told that the answer is another one's, at a button or in the chat."""
    toasts = [call.params.get("text") for call in emu.journal if call.method == "answerCallbackQuery"]
    return NOT_THEIRS in toasts or any(message.text == NOT_THEIRS for message in shown.chat.messages)


@pytest.mark.parametrize("case", cases(STOPS), ids=lambda case: "-".join(map(str, case)))
async def test_an_answer_is_stopped_by_whoever_asked_and_by_admins_alone(
    emu: Emulator, ann: EmulatedUser, eve: EmulatedUser, start: Start, provider: ScriptedProvider, case: Case
) -> None:
    chat, topic = place_of(emu, case.place, ann, eve)
    assert chat is not None
    go_on = asyncio.Event()
    provider.answer("Half", go_on, " and whole.")
    async with start(admin_ids=str(eve.id) if case.role == "owner" else "") as bot:
        await bot.core.database.write(decide_group(chat, "active"))
        if case.role not in {None, "owner"}:
            await bot.core.database.write(become(eve, case.role or "guest", "active"))
        await ann.say("@demo_bot go", chat=chat, topic=topic)
        shown = await emu.wait_for_message(chat, lambda message: message.text == "Half")
        await STOPS[case.how](eve, shown, topic)
        if case.role in {"admin", "owner"}:
            await emu.wait_for(lambda: shown.text == "Half\n\nStopped.")
            return
        await emu.wait_for(lambda: was_refused(emu, shown))
        assert shown.text == "Half"
        await STOPS[case.how](ann, shown, topic)
        await emu.wait_for(lambda: shown.text == "Half\n\nStopped.")


@pytest.mark.parametrize("case", cases(AGAIN), ids=lambda case: "-".join(map(str, case)))
async def test_a_question_is_asked_again_for_whoever_said_it_and_for_admins_alone(
    emu: Emulator, ann: EmulatedUser, eve: EmulatedUser, start: Start, provider: ScriptedProvider, case: Case
) -> None:
    """Whose it is does not change when an admin has it asked again."""
    chat, topic = place_of(emu, case.place, ann, eve)
    assert chat is not None
    for number in (1, 2, 3):
        provider.answer(f"Answer {number}", *([RateLimited("busy")] if case.how == "failed" else []))
    async with start(admin_ids=str(eve.id) if case.role == "owner" else "") as bot:
        await bot.core.database.write(decide_group(chat, "active"))
        if case.role not in {None, "owner"}:
            await bot.core.database.write(become(eve, case.role or "guest", "active"))
        await ann.say("@demo_bot go", chat=chat, topic=topic)
        shown = await emu.wait_for_message(
            chat, lambda message: "Answer 1" in message.text and bool(again_label(message))
        )
        await AGAIN[case.how](eve, shown, topic)
        if case.role in {"admin", "owner"}:
            shown = await emu.wait_for_message(
                chat, lambda message: "Answer 2" in message.text and bool(again_label(message))
            )
        else:
            await emu.wait_for(lambda: was_refused(emu, shown))
            assert len(provider.requests) == 1
        await AGAIN[case.how](ann, shown, topic)
        last = await emu.wait_for_message(
            chat, lambda message: f"Answer {len(provider.requests)}" in message.text and message is not shown
        )
    assert len(provider.requests) == (3 if case.role in {"admin", "owner"} else 2)
    assert last.topic == topic


def again_label(message: EmulatedMessage) -> list[str]:
    """The button that asks again, once it is there."""
    return [label for label in message.labels if label in {"Regenerate", "Try again"}]


@pytest.mark.parametrize("role", [None, "admin"])
async def test_a_question_is_taken_back_by_whoever_said_it_and_by_admins_alone(
    emu: Emulator, ann: EmulatedUser, eve: EmulatedUser, start: Start, menus: Menus, role: Role | None
) -> None:
    chat = emu.add_group(title="Team", members=[ann, eve])
    async with start(admin_ids="") as bot:
        await bot.core.database.write(decide_group(chat, "active"))
        if role is not None:
            await bot.core.database.write(become(eve, role, "active"))
        await menus.ask(ann, "@demo_bot go", chat=chat)
        said = await menus.ask(eve, "/undo@demo_bot", chat=chat)
        if role is None:
            assert said.text == NOT_THEIRS
            said = await menus.ask(ann, "/undo@demo_bot", chat=chat)
        assert said.text == "Taken back: Ann: go"


@pytest.mark.parametrize("role", [None, "admin"])
@pytest.mark.parametrize("label", ["Send again", "I have it"])
async def test_what_may_not_have_arrived_is_decided_by_whoever_asked_and_by_admins_alone(
    emu: Emulator, ann: EmulatedUser, eve: EmulatedUser, start: Start, role: Role | None, label: str
) -> None:
    chat = emu.add_group(title="Team", members=[ann, eve])
    emu.faults.add(Fault.cut_before("sendMessage", chat_id=chat.id))
    # Without a placeholder, whose loss nobody is told of: it is the answer that gets lost.
    async with start(admin_ids="", streaming__first_delay=60, sending__resolve=False) as bot:
        await bot.core.database.write(decide_group(chat, "active"))
        if role is not None:
            await bot.core.database.write(become(eve, role, "active"))
        await ann.say("@demo_bot go", chat=chat)
        notice = await emu.wait_for_message(chat, lambda message: label in message.labels)
        query = await eve.press(notice, label)
        toast = await emu.wait_for(lambda: query.answer)
        if role is None:
            assert toast["text"] == NOT_THEIRS
            assert (await bot.core.database.read(outbox.counts))["uncertain"] == 1
            query = await ann.press(notice, label)
            toast = await emu.wait_for(lambda: query.answer)
        assert toast["text"] == ("Sent again." if label == "Send again" else "All right.")
