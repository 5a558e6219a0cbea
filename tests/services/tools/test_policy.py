"""Who may use which tool, and whose approval a call needs."""

from collections.abc import Callable
from functools import partial
from typing import Any, ClassVar, TypeVar

import pytest

from tgllm.api import ChatInfo, Danger, Role, UserInfo
from tgllm.config.sections.tools import ToolsSection
from tgllm.db.database import Database
from tgllm.db.engine.unit import Connection
from tgllm.db.tables import users
from tgllm.db.tables.tools import calls as tool_calls
from tgllm.db.tables.tools import grants as tool_grants
from tgllm.db.tables.tools import rules as tool_rules
from tgllm.db.tables.tools.grants import Grant
from tgllm.db.tables.tools.rules import StoredRule
from tgllm.plugins.owned import OwnedTool
from tgllm.services.common.calendar import Days
from tgllm.services.tools.policy import Standing, ToolPolicy
from tool_support import Asked, add_call, make_people, tool_of

T = TypeVar("T")
HOUR = 60 * 60 * 1000
NOON = 20_454 * 24 * HOUR + 12 * HOUR
"""2026-01-01, 12:00 UTC."""
PRIVATE, GROUP = ChatInfo(7, "private"), ChatInfo(-1, "supergroup")


class Case:
    """The policy on a database."""

    def __init__(self, database: Database) -> None:
        self.database = database
        self.now = NOON

    async def write(self, unit: Callable[[Connection], T]) -> T:
        return await self.database.write(unit)

    async def standing(
        self,
        danger: Danger = "dangerous",
        role: Role | None = "user",
        chat: ChatInfo = PRIVATE,
        tool: str = "push",
        **settings: Any,
    ) -> Standing:
        settings = settings or {"rules": {"push": {"private": "guest", "groups": "guest"}}}
        policy = ToolPolicy(ToolsSection.model_validate(settings), Days())
        owned: Any = OwnedTool(tool_of(tool, danger), "git", None)  # type: ignore[arg-type]  no tool is called
        user = UserInfo(7, "Ann", role)
        lane = f":{chat.id}:"
        found = await self.database.read(lambda conn: policy.standing(conn, owned, user, chat, lane, self.now))
        many = await self.database.read(lambda conn: policy.standings(conn, [owned], user, chat, lane, self.now))
        assert many == [found]
        refusals = await self.database.read(lambda conn: policy.refusals(conn, [owned], user, chat, self.now))
        assert refusals == [found.refusal]
        return found


@pytest.fixture
def case(database: Database) -> Case:
    return Case(database)


class TestRefusal:
    @pytest.mark.parametrize("danger", ["write", "dangerous"])
    async def test_what_changes_something_is_closed_for_owners_too(self, case: Case, danger: Danger) -> None:
        assert (await case.standing(danger, "owner", enabled=True)).refusal == "off"

    async def test_reading_is_open(self, case: Case) -> None:
        assert (await case.standing("read", enabled=True)).refusal is None

    async def test_not_for_a_lower_role_than_the_tool_says(self, case: Case) -> None:
        assert (await case.standing("read", "guest", enabled=True)).refusal == "role"

    async def test_not_without_access(self, case: Case) -> None:
        assert (await case.standing(role=None)).refusal == "role"

    async def test_not_while_tools_are_turned_off(self, case: Case) -> None:
        assert (await case.standing("read", "owner", enabled=False)).refusal == "off"

    async def test_the_kind_of_chat_counts(self, case: Case) -> None:
        rules = {"push": {"private": "user", "groups": "admin"}}
        assert (await case.standing(chat=GROUP, rules=rules)).refusal == "chat"
        assert (await case.standing(chat=PRIVATE, rules=rules)).refusal is None

    async def test_direct_messages_of_a_channel_are_read_by_others_too(self, case: Case) -> None:
        rules = {"push": {"private": "user"}}
        direct = ChatInfo(-5, "supergroup", direct_topic_id=7)
        assert (await case.standing(chat=direct, rules=rules)).refusal == "chat"

    async def test_what_admins_have_set_counts(self, case: Case) -> None:
        await case.write(lambda conn: tool_rules.put(conn, StoredRule("push", "git", "nobody", "nobody")))
        assert (await case.standing()).refusal == "off"

    async def test_not_if_it_is_about_a_tool_of_another_plugin(self, case: Case) -> None:
        await case.write(lambda conn: tool_rules.put(conn, StoredRule("push", "other", private="user")))
        assert (await case.standing(enabled=True)).refusal == "off"


class TestLimit:
    RULES: ClassVar = {"push": {"private": "user", "per_day": 2}}

    async def call(self, case: Case, at: int, *, started: bool = True, tool: str = "push") -> None:
        def unit(conn: Connection) -> None:
            call = add_call(conn, Asked(turn_id=f"x{at}{tool}{started}"), tool, now=at)
            if started:
                tool_calls.start(conn, call.id, at)

        await case.write(unit)

    async def test_the_calls_of_the_day_count(self, case: Case) -> None:
        await self.call(case, NOON - HOUR)
        assert (await case.standing(rules=self.RULES)).refusal is None
        await self.call(case, NOON - 1)
        assert (await case.standing(rules=self.RULES)).refusal == "limit"

    async def test_those_of_yesterday_and_those_that_were_not_made_do_not(self, case: Case) -> None:
        for at, started, tool in [(NOON - 13 * HOUR, True, "push"), (NOON, False, "push"), (NOON, True, "pull")]:
            await self.call(case, at, started=started, tool=tool)
        await self.call(case, NOON - HOUR)
        assert (await case.standing(rules=self.RULES)).refusal is None


class TestApprover:
    @pytest.mark.parametrize(("role", "approver"), [("user", "asker"), ("owner", "asker"), ("guest", "admins")])
    async def test_dangerous_calls_are_approved_by_the_person_and_those_of_guests_by_admins(
        self, case: Case, role: Role, approver: str
    ) -> None:
        assert (await case.standing(role=role)).approver == approver

    async def test_no_other_calls(self, case: Case) -> None:
        assert (await case.standing("write")).approver is None

    async def test_none_where_the_call_is_refused(self, case: Case) -> None:
        assert (await case.standing(enabled=True)).approver is None


class TestGrants:
    async def grant(self, case: Case, **changes: Any) -> None:
        values = {"tool": "push", "plugin_id": "git", "user_id": 7, "lane": "", "until": None, "granted_by": 7}
        grant = Grant(**{**values, "created_at": 1, **changes})
        await case.write(lambda conn: make_people(conn, 7))
        await case.write(lambda conn: tool_grants.put(conn, grant))

    async def test_one_covers_further_calls(self, case: Case) -> None:
        await self.grant(case)
        assert (await case.standing()).approver is None

    @pytest.mark.parametrize(
        "changes",
        [
            {"tool": "pull"},
            {"plugin_id": "other"},
            {"user_id": 8},
            {"lane": ":-1:"},
            {"lane": ":7:", "until": NOON},
        ],
    )
    async def test_not_those_of_another_tool_plugin_person_chat_or_time(
        self, case: Case, changes: dict[str, Any]
    ) -> None:
        await self.grant(case, **changes)
        assert (await case.standing()).approver == "asker"

    async def test_one_for_the_chat_covers_its_calls_until_its_end(self, case: Case) -> None:
        await self.grant(case, lane=":7:", until=NOON + 1)
        assert (await case.standing()).approver is None

    async def test_it_does_not_allow_what_is_refused(self, case: Case) -> None:
        await self.grant(case)
        assert (await case.standing(enabled=True)).refusal == "off"

    async def test_where_admins_approve_only_theirs_counts(self, case: Case) -> None:
        rules = {"push": {"private": "user", "approval": "admins"}}
        await self.grant(case)
        assert (await case.standing(rules=rules)).approver == "admins"
        await self.grant(case, granted_by=1)
        assert (await case.standing(rules=rules)).approver == "admins"
        await case.write(lambda conn: make_people(conn, 1, role="admin"))
        assert (await case.standing(rules=rules)).approver is None

    @pytest.mark.parametrize(
        "change",
        [
            partial(users.set_status, user_id=7, status="blocked", now=2),
            partial(users.set_role, user_id=7, role="guest", now=2),
            partial(users.set_role, user_id=7, role="admin", now=2),
        ],
    )
    async def test_it_ends_with_the_access_and_the_role(
        self, case: Case, change: Callable[[Connection], object]
    ) -> None:
        await self.grant(case)

        def unit(conn: Connection) -> list[Grant]:
            change(conn)
            users.set_status(conn, 7, "active", 3)
            users.set_role(conn, 7, "user", 3)
            return tool_grants.of_person(conn, 7, NOON)

        assert await case.write(unit) == []

    async def test_it_stays_when_the_name_changes(self, case: Case) -> None:
        await self.grant(case)
        await case.write(lambda conn: users.upsert_seen(conn, users.SeenUser(7, first_name="Anna"), 5))
        assert (await case.standing()).approver is None
