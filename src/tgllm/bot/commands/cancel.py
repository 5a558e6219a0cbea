"""The command ``/cancel``: cancels messages that wait for the running answer; if there are none, stops the answer.

Either way, what is left to send of earlier answers is dropped.
"""

import json
from typing import Any

from tgllm.bot.delivery.rows import message_rows
from tgllm.bot.scope import Scope
from tgllm.bot.turns.stopping import end_with, stop_answer
from tgllm.bot.turns.unsent import drop_unsent, dropped_text
from tgllm.bot.ui.command_table import ParsedCommand, TableCommand
from tgllm.db.engine.unit import Connection
from tgllm.db.tables import inbox
from tgllm.db.tables.inbox import InboxRow
from tgllm.i18n import Catalogue

__all__ = ["cancel_commands"]

MOST_CANCELLED = 1000
"""Most waiting messages of a chat that are searched."""


def cancel_commands(texts: Catalogue) -> tuple[TableCommand, ...]:
    """Return the row for the command table."""
    return (TableCommand("cancel", lambda language: texts("command.cancel", language), "user", _cancel),)


async def _cancel(scope: Scope, _command: ParsedCommand) -> None:
    waiting = await scope.read(lambda conn: _waiting(conn, scope))
    if waiting:
        now = scope.now
        text = scope.text("turn.cancelled", count=len(waiting))
        dropped = await drop_unsent(scope)
        if dropped.count:
            text = f"{text} {dropped_text(scope, dropped)}"
        replies = message_rows(scope.lane, text)
        for row in waiting:
            replies += scope.parts.acknowledgements.taken_away(row)
        await scope.end(lambda conn: _take_away(conn, waiting, now), replies=replies)
    else:
        await end_with(scope, await stop_answer(scope))


def _waiting(conn: Connection, scope: Scope) -> list[InboxRow]:
    """Return the sender's waiting messages in this chat from before the command."""
    return [
        row
        for row in inbox.queued(conn, scope.lane.key, MOST_CANCELLED)
        if row.kind == "message" and row.update_id < scope.row.update_id and _sender_id(row) == scope.person.id
    ]


def _take_away(conn: Connection, rows: list[InboxRow], now: int) -> None:
    for row in rows:
        inbox.cancel(conn, row.update_id, now)


def _sender_id(row: InboxRow) -> object:
    message: Any = json.loads(row.payload).get("message")
    sender = message.get("from") if isinstance(message, dict) else None  # pyright: ignore[reportUnknownMemberType, reportUnknownVariableType]  JSON from outside
    return sender.get("id") if isinstance(sender, dict) else ""  # pyright: ignore[reportUnknownMemberType, reportUnknownVariableType]  JSON from outside
