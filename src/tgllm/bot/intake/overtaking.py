"""Commands that only read don't wait for the answer to an earlier question of their lane.

Behind other commands alone they wait, so that they show what those have changed.
"""

from collections.abc import Mapping
from typing import Any, Final

from tgllm.bot.ui.command_table import Reads
from tgllm.bot.updates.command import ParsedCommand, parse_command
from tgllm.bot.updates.formats.written import written_in
from tgllm.bot.updates.raw import content_of, is_raw_own
from tgllm.bot.updates.values import is_set
from tgllm.db.engine.unit import Connection
from tgllm.db.tables import inbox
from tgllm.db.tables.inbox import InboxRow, NewUpdate

__all__ = ["overtakes"]

MOST_AT_ONCE: Final = 4
"""Most such commands of a lane that are handled at once; more of them wait like others."""

MOST_LOOKED_AT: Final = 50
"""Most waiting updates of a lane that are searched for a question."""


def overtakes(conn: Connection, update: NewUpdate, reads: Mapping[str, Reads], username: str) -> bool:
    """Return whether an update is a command that only reads and would wait for an answer.

    Args:
        conn: in the transaction that stores the update, before that.
        update: a new update.
        reads: when commands only read, by name and alias.
        username: the bot's own, without the @.
    """
    if update.kind != "message" or update.control or update.stranger:
        return False
    message = content_of(update)
    if is_set(message.get("media_group_id")):
        # The caption of an album may stand below any of its items, which are handled together.
        return False
    command = _command_of(message, username)
    if command is None or not _only_reads(reads.get(command.name, "never"), command):
        return False
    ahead = [*inbox.running_in(conn, update.lane), *inbox.queued(conn, update.lane, MOST_LOOKED_AT)]
    asking = [row.update_id for row in ahead if row.update_id < update.update_id and _asks(row, username)]
    return bool(asking) and inbox.overtaking(conn, update.lane, asking[0]) < MOST_AT_ONCE


def _only_reads(reads: Reads, command: ParsedCommand) -> bool:
    return reads == "always" or (reads == "bare" and not command.args)


def _asks(row: InboxRow, username: str) -> bool:
    """Return whether a model may be asked in an update: a question, an edited one, or a press that asks again."""
    return _command_of(content_of(row), username) is None


def _command_of(message: Mapping[str, Any], username: str) -> ParsedCommand | None:
    return parse_command(written_in(message), username) if is_raw_own(message) else None
