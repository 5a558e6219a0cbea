"""Approvals of calls: cards, decisions, and the wait for them.

A decision is stored in the transaction of the press, before the waiting turn is woken. So a crash at any moment costs
no decision: the turn starts again, finds its calls as they are stored, and makes only those that are approved.
"""

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass, field
from secrets import randbelow
from typing import TYPE_CHECKING, Final, Literal, Protocol

from tgllm.api.clock import Clock, milliseconds
from tgllm.api.people import UserInfo
from tgllm.db.database import Database
from tgllm.db.engine.signals import signal
from tgllm.db.engine.unit import Connection
from tgllm.db.tables import outbox
from tgllm.db.tables.outbox import NewOutbox
from tgllm.db.tables.tools import approvals as tool_approvals
from tgllm.db.tables.tools import calls as tool_calls
from tgllm.db.tables.tools.calls import Ended, StoredCall
from tgllm.services.chats.moved_chats import present_id
from tgllm.services.common.actor import Actor, note
from tgllm.services.common.wakeup import Wakeup
from tgllm.services.tools.cards import ToolCards, card_turn
from tgllm.services.tools.grants import grant
from tgllm.services.tools.put_back import PutBack

if TYPE_CHECKING:
    from tgllm.services.tools.policy import Approver

__all__ = ["Approvals", "Asking", "Choice", "Decided", "Press"]

Choice = Literal["once", "chat", "always", "no"]
"""This call; further calls in this chat for a while; all further calls; no."""
Result = Literal["approved", "denied", "gone", "foreign", "copy", "decided", "expired", "stopped", "ended"]
"""Result of a press. Only ``approved`` and ``denied`` change anything. ``gone``: there is no such call; ``foreign``:
the person may not decide; ``copy``: it is not the message with the card; the others: the call does not wait any more,
since it is decided, was not decided in time, the answer was stopped, or it has ended."""

_MARKS: Final = 2**31
TOO_LONG: Final = "The arguments are too long to be shown to a person for approval. Split the work into smaller calls."


class Asking(Protocol):
    """The turn whose model makes the calls."""

    @property
    def message_id(self) -> int | None:
        """Id of the message with the question."""
        ...


@dataclass(frozen=True, slots=True)
class Press:
    """A pressed button of a card."""

    call_id: int
    mark: int
    choice: Choice
    user: UserInfo
    """Who has pressed."""
    chat_id: int
    message_id: int | None
    """Message of the button; None if Telegram does not say."""


@dataclass(frozen=True, slots=True)
class Decided:
    """Result of a press."""

    result: Result
    call: StoredCall | None = None
    """The call as it is now; None if there is none."""
    ids: Sequence[int] = field(default=())
    """Calls that don't wait any more, whose turns are to be woken after the commit."""


class Approvals:
    """Asks for approvals, takes decisions, and lets turns wait for them."""

    def __init__(self, database: Database, clock: Clock, cards: ToolCards, seconds: float) -> None:
        """Create the service.

        Args:
            database: with the calls.
            clock: for deadlines.
            cards: makes the cards.
            seconds: time in which a call must be approved.
        """
        self._database = database
        self._clock = clock
        self._cards = cards
        self._milliseconds = round(seconds * 1000)
        self._waiting: dict[int, list[Wakeup]] = {}
        self._put_back = False
        if database.is_server:
            # Of other replicas too: a person may press at any of them.
            database.on_commit("approvals", self._look)

    def cards(
        self, conn: Connection, calls: Iterable[tuple[StoredCall, "Approver"]], turn: Asking, now: int
    ) -> Sequence[NewOutbox]:
        """Let calls wait for an approval, and return the rows that send their cards.

        A call whose arguments are too long to be shown ends as ``refused`` instead, with a result for the model.

        Args:
            conn: the write transaction that stores the calls.
            calls: calls in the state ``asked``, each with who may approve it.
            turn: the turn of the calls.
            now: UTC, in milliseconds.
        """
        rows: list[NewOutbox] = []
        for call, approver in calls:
            if not self._cards.fits(call):
                tool_calls.end(conn, call.id, Ended(state="refused", result=TOO_LONG, error="arguments too long"), now)
                continue
            tool_approvals.begin_wait(conn, call.id, approver, 1 + randbelow(_MARKS), now + self._milliseconds)
            rows += self._cards.rows(conn, _known(conn, call.id), turn.message_id, now)
        return rows

    async def wait(self, ids: Collection[int]) -> None:
        """Wait until none of the calls waits for an approval; one that was not approved in time is ``expired`` then.

        Raises:
            PutBack: the program ends; the calls go on waiting.
            DatabaseError: the database can't be read or written.
        """
        wakeup = Wakeup()
        for call_id in ids:
            self._waiting.setdefault(call_id, []).append(wakeup)
        try:
            while deadlines := await self._database.read(lambda conn: _deadlines(conn, ids)):
                if self._put_back:
                    raise PutBack
                left = (min(deadlines) - milliseconds(self._clock)) / 1000
                if left <= 0:
                    await self.expire()
                else:
                    await wakeup.wait_for(left, self._clock)
        finally:
            for call_id in ids:
                self._forget(call_id, wakeup)

    def decided(self, ids: Iterable[int]) -> None:
        """Wake the turns that wait for these calls, after the commit that has changed them."""
        for call_id in ids:
            for wakeup in self._waiting.get(call_id, ()):
                wakeup.set()

    def _look(self) -> None:
        """Let all turns that wait look at their calls again."""
        self.decided(list(self._waiting))

    def put_back(self) -> None:
        """End all waits with ``PutBack``, also later ones: the program ends, and its next start goes on with them."""
        self._put_back = True
        self.decided(list(self._waiting))

    async def expire(self) -> None:
        """End the wait of the calls that were not approved in time.

        Raises:
            DatabaseError: the database can't be written.
        """
        now = milliseconds(self._clock)

        def unit(conn: Connection) -> Sequence[int]:
            calls = tool_approvals.expire(conn, now)
            self._show(conn, calls, now)
            return [call.id for call in calls]

        self._database.expect("outbox")
        self.decided(await self._database.write(unit))

    def decide(self, conn: Connection, press: Press, now: int) -> Decided:
        """Decide about a call by a press.

        Args:
            conn: the write transaction that ends the update of the press.
            press: the press; its data may be forged.
            now: UTC, in milliseconds.
        """
        call = tool_calls.get(conn, press.call_id)
        refused = "gone" if call is None or call.mark != press.mark else _refusal(conn, call, press)
        if call is None or refused is not None:
            return Decided(refused or "gone", call)
        if call.state != "waiting":
            # A shell command that has erased the person's data can't wake the turn.
            return Decided(_too_late(call), call, [call.id])
        if (call.expires_at or 0) <= now:
            expired = tool_approvals.expire(conn, now)
            self._show(conn, expired, now)
            return Decided("expired", _known(conn, call.id), [each.id for each in expired])
        return self._decide(conn, call, press, now)

    def settle(self, conn: Connection, ids: Collection[int], now: int) -> None:
        """Show on the cards of calls what has become of them; calls without a card are left out.

        Called in the transaction in which calls end: with a result, by a stop, or because their turn has ended.
        """
        self._show(conn, tool_calls.of_ids(conn, ids), now)

    def recover(self, conn: Connection, now: int) -> int:
        """Close the cards of calls whose turns have ended without them, after a crash; return how many there were.

        Args:
            conn: the write transaction of the recovery, after that of the inbox.
            now: UTC, in milliseconds.
        """
        calls = tool_approvals.abandon(conn, now)
        self._show(conn, calls, now)
        return len(calls)

    def _decide(self, conn: Connection, call: StoredCall, press: Press, now: int) -> Decided:
        actor = Actor(press.user.id, "telegram")
        details = {"plugin": call.plugin_id, "user": call.user_id, "call": call.id}
        if press.choice == "no":
            tool_approvals.decide(conn, call.id, "denied", press.user.id, now)
            note(conn, actor, "tool.deny", call.tool, now, details)
            calls = [call]
        else:
            calls = [call, *self._covered(conn, call, press, actor, now)]
            for each in calls:
                tool_approvals.decide(conn, each.id, "approved", press.user.id, now)
            note(conn, actor, "tool.approve", call.tool, now, {**details, "extent": press.choice})
        ids = [each.id for each in calls]
        self._show(conn, tool_calls.of_ids(conn, ids), now)
        return Decided("denied" if press.choice == "no" else "approved", _known(conn, call.id), ids)

    @staticmethod
    def _covered(conn: Connection, call: StoredCall, press: Press, actor: Actor, now: int) -> Sequence[StoredCall]:
        """Approve further calls if that is chosen; return the waiting ones that this covers."""
        if press.choice not in {"chat", "always"}:
            return []
        grant(conn, call, "chat" if press.choice == "chat" else "always", actor, now)
        others = tool_approvals.like_waiting(conn, call, everywhere=press.choice == "always")
        return [other for other in others if other.approver == call.approver and (other.expires_at or 0) > now]

    def _show(self, conn: Connection, calls: Iterable[StoredCall], now: int) -> None:
        for call in calls:
            signal(conn, "approvals")
            if call.approver is not None and call.state != "waiting":
                self._cards.update(conn, call, now)

    def _forget(self, call_id: int, wakeup: Wakeup) -> None:
        left = [other for other in self._waiting.get(call_id, ()) if other is not wakeup]
        if left:
            self._waiting[call_id] = left
        else:
            self._waiting.pop(call_id, None)


def _known(conn: Connection, call_id: int) -> StoredCall:
    call = tool_calls.get(conn, call_id)
    assert call is not None  # noqa: S101  in the transaction that has read or stored it
    return call


def _deadlines(conn: Connection, ids: Collection[int]) -> Sequence[int]:
    """Return the deadlines of the calls that wait."""
    states = tool_approvals.states(conn, ids).values()
    return [expires_at or 0 for state, expires_at in states if state == "waiting"]


def _refusal(conn: Connection, call: StoredCall, press: Press) -> Literal["gone", "foreign", "copy"] | None:
    """Return why a press may not decide."""
    if call.approver == "admins" and press.choice == "always":
        # There is no such button.
        return "gone"
    may = press.user.is_admin if call.approver == "admins" else press.user.id == call.user_id
    if not may:
        return "foreign"
    chat_id = present_id(conn, press.chat_id)
    here = [
        row
        for row in outbox.of_turn(conn, card_turn(call.id))
        if row.chat_id is not None and present_id(conn, row.chat_id) == chat_id
    ]
    # The id is unknown while the delivery of the card is unconfirmed, and after a group has become a supergroup.
    known = {row.message_id for row in here if row.kind == "send"}
    return None if here and (press.message_id in known or None in known or press.message_id is None) else "copy"


def _too_late(call: StoredCall) -> Literal["decided", "expired", "stopped", "ended"]:
    if call.decided_by is not None:
        return "decided"
    if call.state in {"expired", "stopped"}:
        return "expired" if call.state == "expired" else "stopped"
    return "ended"
