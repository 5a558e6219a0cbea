"""Who may do what: every command, button and type of update by every role, wherever it comes from."""

from collections.abc import Awaitable, Callable, Sequence
from contextlib import AbstractAsyncContextManager
from typing import TYPE_CHECKING

import pytest

from tgllm.api import UserInfo
from tgllm.bot.admin.assembly import admin_table
from tgllm.bot.admin.table import AdminCommand
from tgllm.bot.assembly import own_commands, press_actions
from tgllm.bot.commands import may_use
from tgllm.db import audit, inbox, users
from tgllm.db.unit import Connection
from tgllm.db.users import Role, Status
from tgllm.i18n import Catalogue
from tgllm.i18n.catalogue import texts_of
from tgllm.testing.bot import RunningBot
from tgllm.testing.emulator import Emulator
from tgllm.testing.emulator.state import EmulatedChat, EmulatedMessage, EmulatedTopic
from tgllm.testing.emulator.users import EmulatedUser
from tgllm.testing.scripted import ScriptedProvider

if TYPE_CHECKING:
    from conftest import Menus

Start = Callable[..., AbstractAsyncContextManager[RunningBot]]
Ask = Callable[..., Awaitable[EmulatedMessage]]

BYSTANDER = 77
"""Somebody whom every forbidden command tries to change."""
LET_IN: Sequence[Role] = ("guest", "user", "admin")
KEPT_OUT: Sequence[Status | None] = (None, "pending", "denied", "blocked")
REFUSALS = {"Only admins of the bot can use this command.", "Only owners of the bot can use this command."}
STATES = tuple(
    str(text) for key, text in texts_of("en").items() if key.startswith(("access.state_", "access.not_let_"))
)


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


@pytest.mark.parametrize("role", LET_IN)
async def test_no_admin_command_is_run_for_a_lower_role(
    emu: Emulator, ask: Ask, ann: EmulatedUser, eve: EmulatedUser, start: Start, menus: "Menus", role: Role
) -> None:
    group = emu.add_group(title="Team", members=[ann, eve])
    forum = emu.add_group(title="Forum", members=[ann, eve])
    topic = emu.add_topic(forum, "Topic")
    places: list[tuple[EmulatedChat | None, EmulatedTopic | None]] = [(None, None), (group, None), (forum, topic)]
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


@pytest.mark.parametrize("status", KEPT_OUT)
async def test_whoever_is_kept_out_gets_nothing_but_word_of_that(
    emu: Emulator,
    ann: EmulatedUser,
    eve: EmulatedUser,
    start: Start,
    provider: ScriptedProvider,
    menus: "Menus",
    status: Status | None,
) -> None:
    async with start(access__answer_interval=0) as bot:
        shown = await menus.ask(ann, "/help")
        if status is not None:
            await bot.core.database.write(become(eve, "user", status))
        before = await standing(bot)
        for action in press_actions():
            assert (await menus.toast(eve, shown, f"{action.word}:1")).startswith(STATES), action.word
        for command in own_commands(Catalogue()):
            if command.name != "start":
                await eve.say(f"/{command.name} {BYSTANDER}")
        for line in lines("user"):
            await eve.say(f"/admin {line}")
        said = await eve.say("hello")
        await eve.edit(said, "hello again")
        await eve.upload(b"x", caption="/admin stats")
        await menus.ask(eve, "are you there?")
        await bot.stop()
        assert [text for text in replies(eve) if not text.startswith(STATES)] == []
    assert not provider.requests
    async with start() as bot:
        changed = await standing(bot)
    assert changed == before if status is not None else changed[1] == before[1]  # type: ignore[index]  a pair


def replies(person: EmulatedUser) -> list[str]:
    return [message.text for message in person.private_chat().messages if message.from_bot]


@pytest.mark.parametrize("role", LET_IN)
async def test_each_command_of_a_higher_role_is_refused(
    ann: EmulatedUser, eve: EmulatedUser, start: Start, menus: "Menus", role: Role
) -> None:
    user = UserInfo(1, "", role)
    async with start() as bot:
        await bot.core.database.write(become(eve, role, "active"))
        shown = await menus.ask(ann, "/help")
        for command in own_commands(Catalogue()):
            if not may_use(user, command.access):
                assert (await menus.ask(eve, f"/{command.name}")).text in REFUSALS
        for action in press_actions():
            if not may_use(user, action.access):
                assert await menus.toast(eve, shown, f"{action.word}:1") in REFUSALS


async def test_a_button_works_for_whoever_may_and_for_nobody_else(
    emu: Emulator, ask: Ask, ann: EmulatedUser, eve: EmulatedUser, start: Start, menus: "Menus"
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
    emu: Emulator, ann: EmulatedUser, eve: EmulatedUser, start: Start, menus: "Menus"
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
    emu: Emulator, ann: EmulatedUser, start: Start, menus: "Menus", argument: str
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
    emu: Emulator, ann: EmulatedUser, eve: EmulatedUser, start: Start, menus: "Menus"
) -> None:
    group, forum = (emu.add_group(title=title, members=[ann, eve]) for title in ("Team", "Forum"))
    topic = emu.add_topic(forum, "Topic")
    places: list[tuple[EmulatedChat, EmulatedTopic | None]] = [(group, None), (forum, topic)]
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
