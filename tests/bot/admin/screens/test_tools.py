"""``/admin tools``: what is shown, who may change what, and that it holds at once."""

import pytest

from bot_support import Start
from loop_support import Box
from tgllm.db.tables import audit, users
from tgllm.db.tables.tools import rules as tool_rules
from tgllm.db.tables.tools.rules import StoredRule
from tgllm.testing.bot import RunningBot
from tgllm.testing.emulator import EmulatedUser

LONG = "a_tool_with_a_name_that_has_as_many_letters_as_a_name_may_have_x"


@pytest.fixture
def box() -> Box:
    box = Box()
    box.add("search")
    box.add("push", danger="dangerous")
    box.add(LONG, danger="write")
    return box


async def stored(bot: RunningBot, tool: str) -> StoredRule | None:
    return await bot.core.database.read(lambda conn: tool_rules.get(conn, tool, "box"))


async def test_an_owner_sees_and_changes_rules(ann: EmulatedUser, start: Start, box: Box) -> None:
    async with start(plugins=[box.plugin]) as bot:
        screen = await bot.talk.say(ann, "/admin tools")
        assert "👁 search (Box): 👤 user, 👥 user" in screen.text
        assert "🚫 push (Box): 👤 nobody, 👥 nobody, 🔐 by the person, for guests by admins" in screen.text
        await bot.talk.press(ann, screen, "push")
        assert "each call needs an approval" in screen.text
        pressed = await bot.talk.press(ann, screen, "👤 admin")
        assert pressed.toast == "✅ Changed"
        assert "In private chats, from: admin" in screen.text
        assert "Set here" in screen.text
        await bot.talk.press(ann, screen, "🔢 5 calls")
        await bot.talk.press(ann, screen, "🔐 by admins")
        rule = await stored(bot, "push")
        assert rule is not None
        assert (rule.private, rule.groups, rule.per_day, rule.approval) == ("admin", None, 5, "admins")
        await bot.talk.press(ann, screen, "↩ As in the settings")
        assert await stored(bot, "push") is None
        entries = await bot.core.database.read(lambda conn: audit.list_recent(conn, 9))
        assert [entry.action for entry in entries][:4] == ["tool.rule_reset", "tool.rule", "tool.rule", "tool.rule"]
        assert "tool.rule push: private admin" in (await bot.talk.say(ann, "/admin audit")).text


async def test_a_long_name_fits_a_button(ann: EmulatedUser, start: Start, box: Box) -> None:
    async with start(plugins=[box.plugin]) as bot:
        screen = await bot.talk.say(ann, "/admin tools")
        await bot.talk.press(ann, screen, next(label for label in screen.labels if label.startswith("a_tool")))
        assert screen.text.startswith(f"✏️ {LONG}")
        await bot.talk.say(ann, f"/admin tools {LONG} groups user")
        rule = await stored(bot, LONG)
        assert rule is not None
        assert rule.groups == "user"


@pytest.mark.parametrize(
    ("line", "allowed"),
    [
        ("search private nobody", {"admin", "owner"}),
        ("search approval admins", {"admin", "owner"}),
        (f"{LONG} private user", {"admin", "owner"}),
        ("push private nobody", {"admin", "owner"}),
        ("push private owner", {"owner"}),
        ("push per_day 3", {"owner"}),
        ("push approval asker", {"owner"}),
        ("push default", {"owner"}),
        ("push approval never", set[str]()),
        ("push private king", set[str]()),
        ("search per_day -1", set[str]()),
        ("search colour red", set[str]()),
        ("missing private user", set[str]()),
    ],
)
@pytest.mark.parametrize("role", ["admin", "owner"])
async def test_who_may_change_what(
    ann: EmulatedUser, eve: EmulatedUser, start: Start, box: Box, role: str, line: str, allowed: set[str]
) -> None:
    async with start(plugins=[box.plugin], let_in=[eve]) as bot:
        await bot.core.database.write(lambda conn: users.set_role(conn, eve.id, "admin", 1))
        before = StoredRule("push", "box", "user")
        await bot.core.database.write(lambda conn: tool_rules.put(conn, before))
        rules = await bot.core.database.read(tool_rules.list_all)
        said = await bot.talk.say(eve if role == "admin" else ann, f"/admin tools {line}")
        changed = await bot.core.database.read(tool_rules.list_all) != rules
        assert changed == (role in allowed), said.text


async def test_users_see_nothing(eve: EmulatedUser, start: Start, box: Box) -> None:
    async with start(plugins=[box.plugin], let_in=[eve]) as bot:
        assert "Only admins" in (await bot.talk.say(eve, "/admin tools")).text
