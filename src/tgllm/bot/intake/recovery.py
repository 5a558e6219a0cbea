"""Recovers the unfinished work of an earlier run at startup, and that of another replica when it is given up."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Final

from tgllm.bot.delivery.recording import GRACE_SECONDS
from tgllm.bot.delivery.resolving import why_not_found_out
from tgllm.bot.delivery.uncertain import edited_message, is_repeatable, settle
from tgllm.bot.intake.given_up import expired_rows, spent_rows
from tgllm.bot.intake.interrupted import count_interrupted
from tgllm.bot.parts import BotParts
from tgllm.bot.telegram.limits.chat_limits import WINDOW_SECONDS
from tgllm.bot.turns.edits import take_edits
from tgllm.db.engine.signals import signal
from tgllm.db.engine.unit import Connection
from tgllm.db.queries.clock_jumps import bring_forward
from tgllm.db.queries.recent_calls import recent_calls
from tgllm.db.queries.shared.inbox_recovery import Recovered, abandoned
from tgllm.db.queries.shared.inbox_recovery import recover as recover_inbox
from tgllm.db.tables import inbox, kv, outbox
from tgllm.db.tables.outbox import NewOutbox
from tgllm.db.tables.tools import rounds as tool_rounds
from tgllm.observe.logs import get_logger
from tgllm.services.access.lost_links import revoke_lost_links
from tgllm.services.common.lane import Lane
from tgllm.services.maintenance.clock_watch import LONGEST_PAUSE

__all__ = ["EarlierCalls", "earlier_calls", "note_end", "recover", "recover_calls", "recover_updates"]

log = get_logger(__name__)

_SCOPE: Final = "intake"
_ENDED: Final = "ended"


@dataclass(frozen=True, slots=True)
class EarlierCalls:
    """Calls of an earlier run that Telegram's rates still count."""

    calls: Sequence[tuple[int, float]]
    """Chat and age in seconds, oldest first."""
    busy: frozenset[int]
    """Chats whose answers may have had previews, which are not stored."""


def earlier_calls(conn: Connection, now: int) -> EarlierCalls:
    """Return the calls of the last minute; before ``recover``.

    Args:
        conn: an open transaction.
        now: UTC in milliseconds.
    """
    recent = recent_calls(conn, now - int(WINDOW_SECONDS * 1000))
    lanes = (Lane.parse(row.lane) for row in inbox.running(conn))
    busy = frozenset(lane.telegram_chat_id for lane in lanes if lane.telegram_chat_id)
    return EarlierCalls([(chat_id, (now - at) / 1000) for chat_id, at in recent], busy)


def note_end(conn: Connection, now: int) -> None:
    """Record that the program ends in order: updates that are running have not crashed it."""
    kv.set_value(conn, _SCOPE, _ENDED, now, now)


def recover(conn: Connection, parts: BotParts, now: int) -> Recovered:
    """Queue running updates again, handle unconfirmed messages, and close abandoned updates with a notice.

    Args:
        conn: an open write transaction.
        parts: of the bot.
        now: UTC in milliseconds.
    """
    # Not recorded by a process that has crashed or was killed.
    crashed = not kv.delete(conn, _SCOPE, _ENDED)
    bring_forward(conn, now + LONGEST_PAUSE, now)
    revoke_lost_links(conn, parts.core.texts, now)
    found = _recover_updates(conn, parts, now, crashed=crashed)
    outbox.add(conn, [*_unconfirmed(conn, parts, now), *_ended(conn, found, parts, now)], now)
    _empty(conn, found, parts, now)
    return found


def recover_updates(
    conn: Connection,
    parts: BotParts,
    now: int,
    *,
    crashed: bool,
    waiting: bool = False,
    leaving: int | None = None,
) -> Recovered:
    """Queue the updates of replicas that have ended, and close abandoned ones with a notice.

    Args:
        conn: an open write transaction, in which the rows of those replicas were removed.
        parts: of the bot.
        now: UTC in milliseconds.
        crashed: whether one of them has crashed or was killed.
        waiting: whether no other replica has run meanwhile, so that queued updates may be too old as well.
        leaving: this replica, if it ends and runs nothing any more.
    """
    found = _recover_updates(conn, parts, now, crashed=crashed, waiting=waiting, leaving=leaving)
    outbox.add(conn, [*_ended(conn, found, parts, now)], now)
    _empty(conn, found, parts, now)
    if found.requeued:
        signal(conn, "inbox")
    return found


def recover_calls(conn: Connection, parts: BotParts, now: int) -> None:
    """Handle the unconfirmed messages of the leader before, before this one sends.

    Invite links are not lost with that one: each replica can make them from what is stored, see ``Invitations``.

    Args:
        conn: an open write transaction.
        parts: of the bot.
        now: UTC in milliseconds.
    """
    bring_forward(conn, now + LONGEST_PAUSE, now)
    outbox.add(conn, [*_unconfirmed(conn, parts, now)], now)


def _recover_updates(
    conn: Connection,
    parts: BotParts,
    now: int,
    *,
    crashed: bool,
    waiting: bool = True,
    leaving: int | None = None,
) -> Recovered:
    # Before the recovery, which queues the running updates again.
    count_interrupted(conn, [row for row in abandoned(conn, leaving) if not row.control], parts, now)
    attempts = parts.core.config.turns.attempts
    found = recover_inbox(conn, now, max_attempts=attempts, crashed=crashed, waiting=waiting, leaving=leaving)
    # After it: the turns of updates that are over don't go on.
    tool_rounds.drop_ended(conn)
    # After it, which ends updates: their calls of tools are not made any more.
    parts.core.approvals.recover(conn, now)
    # After it: an edit replaces only a message that is queued.
    take_edits(conn, inbox.queued_edits(conn), parts.username, parts.core.password.questions, now)
    return found


def _empty(conn: Connection, found: Recovered, parts: BotParts, now: int) -> None:
    """Empty updates that are not for the bot; last, since the notices are made from the updates' contents."""
    for row in (*found.spent, *found.expired):
        parts.relevance.empty_irrelevant(conn, row, now)


def _unconfirmed(conn: Connection, parts: BotParts, now: int) -> Sequence[NewOutbox]:
    """Resend the calls under way that may be repeated, and find out about messages; return notices about the others."""
    sending = parts.core.config.sending
    lost: list[outbox.OutboxRow] = []
    for row in outbox.recover(conn):
        why = "" if edited_message(conn, row) is not None else why_not_found_out(row, resolve=sending.resolve)
        if why is None:
            outbox.mark_in_doubt(conn, row.id, now + int(GRACE_SECONDS * 1000), row.error or "")
        elif is_repeatable(conn, row):
            outbox.resend(conn, row.id)
        else:
            log.info("send.unclear", outbox=row.id, chat=row.chat_id, reason=why)
            lost.append(row)
    return settle(conn, lost, parts.core.texts, sending.unknown)


def _ended(conn: Connection, found: Recovered, parts: BotParts, now: int) -> Iterator[NewOutbox]:
    """Yield the messages about questions that get no answer."""
    for row in found.spent:
        yield from spent_rows(conn, row, parts, now)
    for row in found.expired:
        yield from expired_rows(conn, row, parts, now)
