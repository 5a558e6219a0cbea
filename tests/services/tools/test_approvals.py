"""Cards, decisions and the wait for them, on a database."""

import asyncio
from collections.abc import Callable
from datetime import UTC
from typing import Any, TypeVar

import pytest

from tgllm.api import UserInfo
from tgllm.api.clock import milliseconds
from tgllm.db.database import Database
from tgllm.db.engine.unit import Connection
from tgllm.db.queries.chat_moves import move
from tgllm.db.queries.erasure import erase
from tgllm.db.tables import audit, inbox, outbox, users
from tgllm.db.tables.inbox import NewUpdate
from tgllm.db.tables.outbox import OutboxRow
from tgllm.db.tables.tools import calls as tool_calls
from tgllm.db.tables.tools import grants as tool_grants
from tgllm.db.tables.tools.calls import Ended, StoredCall
from tgllm.i18n import Catalogue
from tgllm.services.messaging.admin_places import AdminPlaces
from tgllm.services.tools.approvals import Approvals, Choice, Decided, Press
from tgllm.services.tools.cards import ToolCards, card_turn
from tgllm.services.tools.put_back import PutBack
from tgllm.testing.clock import ManualClock
from tool_support import Asked, ask, button_data, get_call, make_people

T = TypeVar("T")
SECONDS = 600.0
ADMIN, OTHER_ADMIN, ANN, EVE = 1, 2, 7, 8


class Case:
    """The service on a database, and a Telegram that takes everything."""

    def __init__(self, database: Database, clock: ManualClock) -> None:
        self.database, self.clock = database, clock
        self.approvals = self.restarted()

    def restarted(self) -> Approvals:
        """A service that knows nothing of the one before."""
        cards = ToolCards(Catalogue(strict=True), AdminPlaces(None), str.title, UTC)
        self.approvals = Approvals(self.database, self.clock, cards, SECONDS)
        return self.approvals

    @property
    def now(self) -> int:
        return milliseconds(self.clock)

    async def run(self, unit: Callable[[Connection], T]) -> T:
        return await self.database.write(unit)

    async def ask(self, *tools: str, turn: Asked | None = None, **values: Any) -> list[int]:
        return await ask(self.database, self.approvals, turn or Asked(), *tools, now=self.now, **values)

    async def call(self, call_id: int) -> StoredCall:
        return await self.run(lambda conn: get_call(conn, call_id))

    async def rows(self, call_id: int) -> list[OutboxRow]:
        return await self.run(lambda conn: outbox.of_turn(conn, card_turn(call_id)))

    async def deliver(self, call_id: int) -> list[OutboxRow]:
        """Send what is ready of a card; the id of a message is that of its row."""
        ready = [row for row in await self.rows(call_id) if row.state == "ready"]
        await self.run(lambda conn: outbox.mark_sent(conn, [(row.id, row.id) for row in ready], 1))
        return ready

    async def press(self, call_id: int, choice: Choice = "once", user: int = ANN, **changes: Any) -> Decided:
        """Press a button of the first card that shows a call, as a person without another role."""
        call = await self.call(call_id)
        row = (await self.rows(call_id))[0]
        role = "admin" if user in {ADMIN, OTHER_ADMIN} else "user"
        given = {"mark": call.mark, "chat_id": row.chat_id, "message_id": row.message_id, **changes}
        press = Press(call_id=call_id, choice=choice, user=UserInfo(user, "", role), **given)
        decided = await self.run(lambda conn: self.approvals.decide(conn, press, self.now))
        self.approvals.decided(decided.ids)
        return decided


@pytest.fixture
async def case(database: Database, clock: ManualClock) -> Case:
    await database.write(lambda conn: make_people(conn, ADMIN, OTHER_ADMIN, role="admin"))
    await database.write(lambda conn: make_people(conn, ANN, EVE))
    return Case(database, clock)


class TestCard:
    async def test_it_names_the_tool_the_person_the_chat_and_all_arguments(self, case: Case) -> None:
        (call_id,) = await case.ask(arguments={"repo": "a/b", "text": "hi\u202eereht", "url": "https://evil.example"})
        (row,) = await case.deliver(call_id)
        lines = row.payload["text"].splitlines()
        assert lines[2:6] == ["Tool: push (Git)", "For: Person7 (7)", "Chat: private", "Arguments:"]
        shown = "\n".join(lines[6:11])
        assert shown == '{\n  "repo": "a/b",\n  "text": "hi\\u{202e}ereht",\n  "url": "https://evil.example"\n}'
        (code,) = row.payload["entities"]
        units = row.payload["text"].encode("utf-16-le")
        assert units[2 * code["offset"] : 2 * (code["offset"] + code["length"])].decode("utf-16-le") == shown
        assert code["type"] == "pre"
        assert "parse_mode" not in row.payload
        assert lines[-1].startswith("Please decide by 00:10.")

    async def test_its_buttons_carry_the_call_and_a_random_mark(self, case: Case) -> None:
        (call_id,) = await case.ask()
        call = await case.call(call_id)
        data = button_data(await case.rows(call_id))
        assert data == [f"tool:{choice}:{call_id}:{call.mark}" for choice in ("once", "no", "chat", "always")]
        assert call.state == "waiting"
        assert call.expires_at == case.now + SECONDS * 1000

    async def test_admins_get_it_in_their_chats_without_a_button_for_ever(self, case: Case) -> None:
        (call_id,) = await case.ask(approver="admins")
        rows = await case.rows(call_id)
        assert [row.chat_id for row in rows] == [ADMIN, OTHER_ADMIN]
        assert {data.split(":")[1] for data in button_data(rows)} == {"once", "no", "chat"}

    async def test_long_arguments_take_several_messages_and_nothing_is_left_out(self, case: Case) -> None:
        text = "\n".join(f"line {number} 👍" for number in range(900))
        (call_id,) = await case.ask(arguments={"text": text})
        rows = await case.deliver(call_id)
        assert 1 < len(rows) <= 10
        assert all(len(row.payload["text"].encode("utf-16-le")) <= 2 * 4096 for row in rows)
        shown = ""
        for row in rows:
            (code,) = row.payload["entities"]
            units = row.payload["text"].encode("utf-16-le")
            shown += units[2 * code["offset"] : 2 * (code["offset"] + code["length"])].decode("utf-16-le")
        assert shown.count("👍") == 900
        assert [bool(row.payload.get("reply_markup")) for row in rows] == [False] * (len(rows) - 1) + [True]

    async def test_what_no_one_would_read_is_refused_and_the_model_is_told(self, case: Case) -> None:
        (call_id,) = await case.ask(arguments={"text": "x" * 50_000})
        call = await case.call(call_id)
        assert call.state == "refused"
        assert "too long" in (call.result or "")
        assert await case.rows(call_id) == []


class TestDecision:
    async def test_the_person_approves(self, case: Case) -> None:
        (call_id,) = await case.ask()
        await case.deliver(call_id)
        decided = await case.press(call_id)
        call = await case.call(call_id)
        assert (decided.result, call.state, call.decided_by) == ("approved", "approved", ANN)
        _, edit = await case.rows(call_id)
        assert edit.payload["text"].splitlines()[-1] == "✅ Approved by Person7 (7), 00:00"
        assert "reply_markup" not in edit.payload

    async def test_or_declines(self, case: Case) -> None:
        (call_id,) = await case.ask()
        await case.deliver(call_id)
        assert (await case.press(call_id, "no")).result == "denied"
        assert (await case.call(call_id)).state == "denied"

    async def test_it_is_recorded(self, case: Case) -> None:
        (call_id,) = await case.ask()
        await case.deliver(call_id)
        await case.press(call_id, "always")
        actions = [row.action for row in await case.run(lambda conn: audit.list_recent(conn, 5))]
        assert actions[:2] == ["tool.approve", "tool.grant"]

    async def test_the_first_of_two_admins_decides(self, case: Case) -> None:
        (call_id,) = await case.ask(approver="admins")
        await case.deliver(call_id)
        _, card = await case.rows(call_id)
        assert (await case.press(call_id, "no", ADMIN)).result == "denied"
        other = {"chat_id": card.chat_id, "message_id": card.message_id}
        assert (await case.press(call_id, "once", OTHER_ADMIN, **other)).result == "decided"
        assert (await case.call(call_id)).state == "denied"
        edits = [row for row in await case.rows(call_id) if row.kind == "edit"]
        assert [row.chat_id for row in edits] == [ADMIN, OTHER_ADMIN]

    async def test_a_card_that_is_not_sent_yet_is_dropped(self, case: Case) -> None:
        (call_id,) = await case.ask(approver="admins")
        first, second = await case.rows(call_id)
        await case.run(lambda conn: outbox.mark_sent(conn, [(first.id, 50)], 1))
        await case.press(call_id, "once", ADMIN, message_id=50)
        assert [row.state for row in await case.rows(call_id)] == ["sent", "dropped", "ready"]
        assert second.state == "ready"

    @pytest.mark.parametrize(
        ("approver", "user", "changes", "result"),
        [
            ("asker", EVE, {}, "foreign"),
            ("asker", ADMIN, {}, "foreign"),
            ("admins", ANN, {}, "foreign"),
            ("asker", ANN, {"mark": 5}, "gone"),
            ("asker", ANN, {"chat_id": -5}, "copy"),
            ("asker", ANN, {"message_id": 999}, "copy"),
            ("admins", ADMIN, {"choice": "always"}, "gone"),
        ],
    )
    async def test_a_press_that_may_not_decide_changes_nothing(
        self, case: Case, approver: Any, user: int, changes: dict[str, Any], result: str
    ) -> None:
        (call_id,) = await case.ask(approver=approver)
        await case.deliver(call_id)
        before = await case.rows(call_id)
        assert (await case.press(call_id, user=user, **changes)).result == result
        assert (await case.call(call_id)).state == "waiting"
        assert await case.rows(call_id) == before
        assert await case.run(lambda conn: audit.list_recent(conn, 5)) == []

    @pytest.mark.parametrize(
        ("state", "result"), [("stopped", "stopped"), ("expired", "expired"), ("done", "ended"), ("unknown", "ended")]
    )
    async def test_a_late_press_says_why(self, case: Case, state: Any, result: str) -> None:
        (call_id,) = await case.ask()
        await case.deliver(call_id)
        await case.run(lambda conn: tool_calls.end(conn, call_id, Ended(state=state, result=""), 1))
        assert (await case.press(call_id)).result == result

    async def test_a_press_after_the_deadline_comes_too_late(self, case: Case) -> None:
        (call_id,) = await case.ask()
        await case.deliver(call_id)
        await case.clock.advance(SECONDS)
        decided = await case.press(call_id)
        assert (decided.result, (await case.call(call_id)).state) == ("expired", "expired")
        *_, edit = await case.rows(call_id)
        assert edit.payload["text"].splitlines()[-1] == "⌛ Not called: it was not approved in time."

    async def test_of_a_call_that_is_gone(self, case: Case) -> None:
        press = Press(99, 1, "once", UserInfo(ANN, "", "user"), ANN, 1)
        assert await case.run(lambda conn: case.approvals.decide(conn, press, 0)) == Decided("gone")


class TestGrants:
    async def test_always_covers_the_other_cards_that_wait(self, case: Case) -> None:
        first, second, third = await case.ask("push", "push", "pull")
        (other,) = await case.ask("push", turn=Asked("x2", ":-1:"))
        (strange,) = await case.ask("push", turn=Asked("x3", ":-1:", EVE))
        (by_admins,) = await case.ask("push", turn=Asked("x4"), approver="admins")
        for call_id in (first, second, third, other, strange, by_admins):
            await case.deliver(call_id)
        decided = await case.press(first, "always")
        assert decided.ids == [first, second, other]
        states = [(await case.call(call_id)).state for call_id in (third, strange, by_admins)]
        assert states == ["waiting"] * 3
        (grant,) = await case.run(lambda conn: tool_grants.of_person(conn, ANN, case.now))
        assert (grant.tool, grant.plugin_id, grant.lane, grant.until) == ("push", "git", "", None)

    async def test_for_the_chat_covers_only_this_chat_for_an_hour(self, case: Case) -> None:
        (first,) = await case.ask("push")
        (other,) = await case.ask("push", turn=Asked("x2", ":-1:"))
        await case.deliver(first)
        assert (await case.press(first, "chat")).ids == [first]
        assert (await case.call(other)).state == "waiting"
        (grant,) = await case.run(lambda conn: tool_grants.of_person(conn, ANN, case.now))
        assert (grant.lane, grant.until) == (":7:", case.now + 3_600_000)

    async def test_once_covers_nothing_else(self, case: Case) -> None:
        first, second = await case.ask("push", "push")
        await case.deliver(first)
        assert (await case.press(first, "once")).ids == [first]
        assert (await case.call(second)).state == "waiting"


class TestWait:
    async def test_it_ends_with_the_decision(self, case: Case) -> None:
        first, second = await case.ask("push", "pull")
        await case.deliver(first)
        await case.deliver(second)
        async with asyncio.timeout(30):
            waiting = asyncio.create_task(case.approvals.wait([first, second]))
            await case.press(first, "no")
            assert not waiting.done()
            await case.press(second)
            await waiting

    async def test_or_with_the_deadline(self, case: Case) -> None:
        (call_id,) = await case.ask()
        async with asyncio.timeout(30):
            waiting = asyncio.create_task(case.approvals.wait([call_id]))
            while not waiting.done():
                await case.clock.advance(SECONDS)
        assert (await case.call(call_id)).state == "expired"

    async def test_not_at_all_for_calls_that_are_decided_or_gone(self, case: Case) -> None:
        (call_id,) = await case.ask()
        await case.deliver(call_id)
        await case.press(call_id)
        async with asyncio.timeout(30):
            await case.approvals.wait([call_id, 99])

    async def test_a_shutdown_puts_it_back_and_the_next_start_goes_on(self, case: Case) -> None:
        (call_id,) = await case.ask()
        await case.deliver(call_id)
        async with asyncio.timeout(30):
            waiting = asyncio.create_task(case.approvals.wait([call_id]))
            await case.run(lambda conn: None)
            case.approvals.put_back()
            with pytest.raises(PutBack):
                await waiting
            with pytest.raises(PutBack):
                await case.approvals.wait([call_id])
            assert (await case.call(call_id)).state == "waiting"
            waiting = asyncio.create_task(case.restarted().wait([call_id]))
            await case.press(call_id)
            await waiting


class TestOutcome:
    @pytest.mark.parametrize(
        ("state", "words"),
        [
            ("done", "The tool was called."),
            ("failed", "The call has failed."),
            ("unknown", "❓ I was restarted during the call. It is unknown whether it happened."),
        ],
    )
    async def test_the_card_shows_it(self, case: Case, state: Any, words: str) -> None:
        (call_id,) = await case.ask()
        await case.deliver(call_id)
        await case.press(call_id)
        await case.deliver(call_id)

        def unit(conn: Connection) -> None:
            tool_calls.end(conn, call_id, Ended(state=state, result=""), 1)
            case.approvals.settle(conn, [call_id], case.now)

        await case.run(unit)
        *_, edit = await case.rows(call_id)
        assert edit.payload["text"].splitlines()[-2:] == ["✅ Approved by Person7 (7), 00:00", words]

    async def test_a_card_that_was_half_sent_says_it_once(self, case: Case) -> None:
        (call_id,) = await case.ask(arguments={"text": "word " * 2000})
        first, *_, last = await case.rows(call_id)
        await case.run(lambda conn: outbox.mark_sent(conn, [(first.id, first.id)], 1))
        await case.press(call_id, "no")
        await case.deliver(call_id)
        ended = Ended(state="denied", result="Declined.")
        await case.run(lambda conn: tool_calls.end(conn, call_id, ended, case.now))
        await case.run(lambda conn: case.approvals.settle(conn, [call_id], case.now))
        rows = await case.rows(call_id)
        assert [row.kind for row in rows] == ["send"] * len(rows)
        assert "Declined by" in next(row for row in rows if row.id == last.id).payload["text"]

    async def test_calls_without_a_card_are_left_out(self, case: Case) -> None:
        (call_id,) = await case.ask(arguments={"text": "x" * 50_000})
        await case.run(lambda conn: case.approvals.settle(conn, [call_id], case.now))
        assert await case.rows(call_id) == []


class TestRecovery:
    """After a crash, cards of turns that don't go on are closed, and the others stay as they are."""

    async def recover(self, case: Case, state: Any, update_state: str | None) -> tuple[str, str]:
        (call_id,) = await case.ask(turn=Asked("u5"))
        await case.deliver(call_id)

        def unit(conn: Connection) -> None:
            conn.execute("UPDATE tool_calls SET state = ?", (state,))
            if update_state is not None:
                inbox.add_updates(
                    conn, [NewUpdate(update_id=5, lane=":7:", kind="message", control=False, payload="{}")], 1
                )
                if update_state == "failed":
                    inbox.finish(conn, 5, "failed", 1)
            case.approvals.recover(conn, case.now)

        await case.run(unit)
        *_, last = await case.rows(call_id)
        return (await case.call(call_id)).state, last.payload["text"].splitlines()[-1] if last.kind == "edit" else ""

    @pytest.mark.parametrize("state", ["waiting", "approved", "running"])
    async def test_a_turn_that_starts_again_keeps_its_card(self, case: Case, state: Any) -> None:
        assert await self.recover(case, state, "queued") == (state, "")

    @pytest.mark.parametrize("update_state", ["failed", None])
    async def test_a_turn_that_is_over_closes_it(self, case: Case, update_state: str | None) -> None:
        said = "⏹ Not called: the answer was stopped or has ended."
        assert await self.recover(case, "waiting", update_state) == ("stopped", said)

    async def test_a_call_that_ran_is_unknown(self, case: Case) -> None:
        assert (await self.recover(case, "running", "failed"))[0] == "unknown"


class TestPersonalData:
    async def test_erasure_takes_the_grants_and_the_contents_of_the_cards(self, case: Case) -> None:
        (first,) = await case.ask(approver="admins", arguments={"secret": "of Ann"})
        (second,) = await case.ask(turn=Asked("x2"))
        await case.deliver(second)
        await case.press(second, "always")
        await case.run(lambda conn: erase(conn, ANN, 0))
        assert await case.run(lambda conn: tool_grants.of_person(conn, ANN, case.now)) == []
        assert [row.payload for row in await case.rows(first)] == [{}, {}]
        assert {row.state for row in await case.rows(first)} == {"dropped"}

    async def test_erasure_ends_the_calls_that_wait(self, case: Case) -> None:
        # Without their arguments they would be other calls than the card has shown.
        (call_id,) = await case.ask(turn=Asked("u1", ":-1:"), arguments={"branch": "main"})
        await case.deliver(call_id)
        erased = await case.run(lambda conn: erase(conn, ANN, 0))
        assert erased.calls == [call_id]
        assert (await case.press(call_id)).result == "stopped"
        assert (await case.call(call_id)).state == "stopped"

    async def test_a_call_that_runs_meanwhile_leaves_no_result(self, case: Case) -> None:
        (call_id,) = await case.ask(turn=Asked("u1", ":-1:"))
        await case.run(lambda conn: tool_calls.start(conn, call_id, 1))
        await case.run(lambda conn: erase(conn, ANN, 0))
        await case.run(lambda conn: tool_calls.end(conn, call_id, Ended(state="done", result="Secret."), 2))
        call = await case.call(call_id)
        assert (call.state, call.result, call.started_at) == ("stopped", "", 1)

    async def test_a_turn_that_starts_again_after_it_can_make_calls(self, case: Case) -> None:
        await case.ask(turn=Asked("u1"))
        await case.run(lambda conn: erase(conn, ANN, 0))
        (call_id,) = await case.ask(turn=Asked("u1"))
        assert (await case.call(call_id)).state == "waiting"

    async def test_a_grant_moves_with_its_group(self, case: Case) -> None:
        (call_id,) = await case.ask(turn=Asked("x1", ":-1:"))
        await case.deliver(call_id)
        await case.press(call_id, "chat")
        await case.run(lambda conn: move(conn, -1, -100, ":-1:", ":-100:"))
        (grant,) = await case.run(lambda conn: tool_grants.of_person(conn, ANN, case.now))
        assert grant.lane == ":-100:"

    async def test_a_blocked_person_has_none_left(self, case: Case) -> None:
        (call_id,) = await case.ask()
        await case.deliver(call_id)
        await case.press(call_id, "always")
        await case.run(lambda conn: users.set_status(conn, ANN, "blocked", 1))
        assert await case.run(lambda conn: tool_grants.of_person(conn, ANN, case.now)) == []
