"""Who may change what of whom: every admin command that changes something, by role of the actor and of the target."""

from collections.abc import Callable, Sequence
from typing import Final, get_args

import pytest

from bot_support import Menus, Start, decide_group
from tgllm.api import Role
from tgllm.bot.admin.assembly import admin_table
from tgllm.bot.admin.screens.budget import CHANGES
from tgllm.db.engine.unit import Connection
from tgllm.db.tables import audit, users
from tgllm.testing.bot import RunningBot
from tgllm.testing.emulator import Emulator
from tgllm.testing.emulator.users import EmulatedUser

ROLES: Final[Sequence[Role]] = get_args(Role)
BELOW: Final = {"owner": {"owner", "admin", "user", "guest"}, "admin": {"user", "guest"}}
"""The roles of those whose limits, and those whose access, a role may change."""
WORDS: Final = {
    "set": "set requests/day 5",
    "lift": "lift requests/day",
    "default": "default requests/day",
    "give": "give requests/day 5",
    "reset": "reset",
}
ABOUT_PEOPLE: Final = {
    "user": ("approve", "guest", "deny", "block"),
    "toggle": ("",),
    "approve": ("",),
    "guest": ("",),
    "deny": ("",),
    "block": ("",),
    "role": ("admin", "user"),
}
"""Arguments after the person."""
ABOUT_NO_PERSON: Final = {
    "menu", "stats", "users", "invite", "invites", "groups", "budget", "models", "refresh", "plugins", "jobs",
    "planned", "tools", "errors", "audit", "broadcast", "broadcast_send", "broadcast_stop", "backup", "commands",
}  # fmt: skip
"""Rows that change nothing of one person, apart from ``budget``, which has its own test."""


def put(people: dict[int, Role]) -> Callable[[Connection], None]:
    """The unit of work that makes these people active in their roles."""

    def unit(conn: Connection) -> None:
        for user_id, role in people.items():
            users.upsert_seen(conn, users.SeenUser(user_id, first_name=f"Some {role}"), 1)
            users.set_status(conn, user_id, "active", 1)
            users.set_role(conn, user_id, role, 1)

    return unit


async def changes(bot: RunningBot) -> int:
    """How many rows the audit trail has."""
    return await bot.core.database.read(audit.count)


TARGETS: Final[dict[int, Role]] = {5000 + place: role for place, role in enumerate(ROLES)}


def test_every_row_and_every_change_is_in_the_matrix() -> None:
    assert {row.name for row in admin_table().rows} == ABOUT_PEOPLE.keys() | ABOUT_NO_PERSON
    assert CHANGES.keys() == WORDS.keys()


@pytest.mark.parametrize("role", ["owner", "admin"])
async def test_budgets(
    emu: Emulator, ann: EmulatedUser, eve: EmulatedUser, start: Start, menus: Menus, role: Role
) -> None:
    group = emu.add_group(title="Team", members=[ann])
    scopes: dict[str, bool] = {"bot": role == "owner", str(group.id): True}
    scopes |= {each: each in BELOW[role] for each in ROLES}
    scopes |= {str(user_id): each in BELOW[role] for user_id, each in TARGETS.items()}
    async with start(admins=[ann.id, eve.id] if role == "owner" else [ann.id]) as bot:
        await bot.core.database.write(put({**TARGETS, eve.id: role}))
        await bot.core.database.write(decide_group(group))
        scopes[str(eve.id)] = role == "owner"
        for whose, allowed in scopes.items():
            for verb in CHANGES:
                # Extras and resets need a limit, and roles have neither.
                if whose in ROLES and verb in {"give", "reset"}:
                    continue
                if verb in {"give", "reset"} and allowed:
                    await menus.ask(eve, f"/admin budget {whose} set requests/day 5")
                before = await changes(bot)
                said = await menus.ask(eve, f"/admin budget {whose} {WORDS[verb]}")
                assert (await changes(bot) > before) == allowed, (whose, verb)
                assert ("Only owners can change this budget" in said.text) != allowed, (whose, verb)


@pytest.mark.parametrize("verb", WORDS)
@pytest.mark.parametrize("kind", ["person", "role", "group"])
async def test_limits_of_owners_are_changed_by_owners_only(
    emu: Emulator, ann: EmulatedUser, eve: EmulatedUser, start: Start, menus: Menus, kind: str, verb: str
) -> None:
    if kind == "role" and verb in {"give", "reset"}:
        return
    group = emu.add_group(title="Team", members=[ann])
    whose = {"person": "5002", "role": "user", "group": str(group.id)}[kind]
    async with start() as bot:
        await bot.core.database.write(put({**TARGETS, eve.id: "admin"}))
        await bot.core.database.write(decide_group(group))
        await menus.ask(ann, f"/admin budget {whose} set requests/day 5")
        before = await changes(bot)
        refused = await menus.ask(eve, f"/admin budget {whose} {WORDS[verb]}")
        assert await changes(bot) == before
        other = await menus.ask(eve, f"/admin budget {whose} set tokens/day 5")
        assert await changes(bot) == before + 1
        await menus.ask(ann, f"/admin budget {whose} default requests/day")
        given = await menus.ask(eve, f"/admin budget {whose} set requests/day 7")
    assert "An owner has set this limit" in refused.text
    assert "An owner has set this limit" not in other.text + given.text


@pytest.mark.parametrize("verb", ["lift", "give", "reset", "set higher", "set lower", "default"])
async def test_limits_of_owners_for_a_role_are_not_exceeded_for_one_person(
    ann: EmulatedUser, eve: EmulatedUser, start: Start, menus: Menus, verb: str
) -> None:
    words = {**WORDS, "set higher": "set requests/day 6", "set lower": "set requests/day 4"}
    allowed = verb in {"set lower", "default"}
    async with start() as bot:
        await bot.core.database.write(put({**TARGETS, eve.id: "admin"}))
        await menus.ask(ann, "/admin budget user set requests/day 5")
        await menus.ask(eve, "/admin budget 5002 set requests/day 3")
        before = await changes(bot)
        said = await menus.ask(eve, f"/admin budget 5002 {words[verb]}")
        assert (await changes(bot) > before) == allowed
        assert ("An owner has set this limit" in said.text) != allowed
        await menus.ask(ann, f"/admin budget 5002 {words[verb]}")
        by_owner = await menus.ask(ann, "/admin budget 5002")
    assert "An owner has set" not in by_owner.text


@pytest.mark.parametrize("role", ["owner", "admin"])
async def test_access_and_roles(ann: EmulatedUser, eve: EmulatedUser, start: Start, menus: Menus, role: Role) -> None:
    async with start(admins=[ann.id, eve.id] if role == "owner" else [ann.id]) as bot:
        for name, endings in ABOUT_PEOPLE.items():
            for ending in endings:
                await bot.core.database.write(put({**TARGETS, eve.id: role}))
                for user_id, target in {**TARGETS, eve.id: role}.items():
                    before = await standing(bot, user_id)
                    await menus.ask(eve, f"/admin {name} {user_id} {ending}".rstrip())
                    changed = await standing(bot, user_id) != before
                    may = target != "owner" and target in BELOW[role] and (role == "owner" or name != "role")
                    # Nobody changes an owner, and a decision may leave things as they are.
                    assert may or not changed, (name, ending, target)


async def standing(bot: RunningBot, user_id: int) -> tuple[object, ...]:
    user = await bot.core.database.read(lambda conn: users.get(conn, user_id))
    assert user is not None
    return user.role, user.status, user.expires_at


@pytest.mark.parametrize("command", ["approve {}", "guest {}", "toggle {}", "user {} approve", "deny {}"])
@pytest.mark.parametrize("by", ["owner", "admin"])
async def test_whom_an_owner_has_blocked_stays_blocked_until_an_owner_decides(
    ann: EmulatedUser, eve: EmulatedUser, start: Start, menus: Menus, command: str, by: str
) -> None:
    async with start() as bot:
        await bot.core.database.write(put({**TARGETS, eve.id: "admin"}))
        await menus.ask(ann if by == "owner" else eve, "/admin block 5002")
        before = await standing(bot, 5002)
        said = await menus.ask(eve, f"/admin {command.format(5002)}")
        assert (await standing(bot, 5002) == before) == (by == "owner")
        assert ("An owner has blocked this person" in said.text) == (by == "owner")
        await menus.ask(ann, "/admin approve 5002")
        assert (await standing(bot, 5002))[1] == "active"


async def test_who_is_told(emu: Emulator, ann: EmulatedUser, eve: EmulatedUser, start: Start, menus: Menus) -> None:
    bob, kim = emu.add_user(first_name="Bob"), emu.add_user(first_name="Kim")
    group = emu.add_group(title="Team", members=[bob])
    async with start() as bot:
        await bot.core.database.write(put({eve.id: "admin", bob.id: "user", kim.id: "guest"}))
        await bot.core.database.write(decide_group(group))
        for each in (ann, bob, kim):
            await each.say("/ping")
            await emu.wait_for_message(each.private_chat(), lambda message: message.from_bot)
        await menus.ask(eve, f"/admin budget {bob.id} set requests/day 5")
        await said(emu, bob, "changed your budget: requests for today: 5.")
        await said(emu, ann, f"The budget of Bob ({bob.id}): requests for today: 5. Changed by Eve ({eve.id})")
        await menus.ask(eve, "/admin budget guest set requests/day 6")
        await said(emu, kim, "changed your budget: requests for today: 6.")
        await said(emu, ann, "The budget of each person with the role guest: requests for today: 6.")
        await menus.ask(eve, f"/admin budget {group.id} set requests/day 7")
        told = await emu.wait_for_message(group, lambda message: message.from_bot)
        await said(emu, ann, "The budget of the group")
    assert told.text == "💰 An admin has changed the budget of this group: requests for today: 7."
    texts = [message.text for message in bob.private_chat().messages if "💰" in message.text]
    assert len(texts) == 1


async def said(emu: Emulator, person: EmulatedUser, words: str) -> None:
    await emu.wait_for_message(person.private_chat(), lambda message: words in message.text)
