"""Implementation of ``tgllm inbox list`` and ``show``."""

import json
from collections.abc import Sequence
from dataclasses import asdict

from tgllm.api.errors import TgllmError
from tgllm.cli.failure import tell_text
from tgllm.cli.options import Options
from tgllm.cli.output import print_json, print_table, say
from tgllm.cli.stored import look_at
from tgllm.cli.words import moment
from tgllm.db.engine.unit import Connection
from tgllm.db.queries import inbox_care
from tgllm.db.queries.inbox_care import MOST_ID, NOTABLE, Call, Listing
from tgllm.db.tables import inbox
from tgllm.db.tables.inbox import InboxRow, State
from tgllm.services.common.lane import Lane
from tgllm.services.common.text import one_line
from tgllm.services.common.times import iso_time
from tgllm.services.common.turn_ids import turn_id_of

__all__ = ["run_list", "run_show"]

COLUMNS = ("Update", "State", "Kind", "Chat", "Received (UTC)", "Attempts", "Error")
MOST_ERROR = 300
"""Maximum length of an error in the table, in UTF-16 units."""


def run_list(options: Options, states: Sequence[State], limit: int, *, as_json: bool) -> None:
    """Print updates in these states; by default those that wait or were not answered.

    Raises:
        ConfigError: a setting is invalid.
        DatabaseError: the database can't be read.
    """
    nothing = Listing((), 0)
    found = look_at(options, lambda conn: inbox_care.listing(conn, states or NOTABLE, limit), nothing)
    if as_json:
        print_json([_object(row) for row in found.rows])
    elif found.rows:
        print_table(COLUMNS, (_row(row) for row in found.rows))
    if not found.rows:
        tell_text("shell.inbox_none")
    elif len(found.rows) < found.total and not as_json:
        tell_text("shell.inbox_more", shown=len(found.rows), total=found.total)


def run_show(options: Options, update_id: int, *, as_json: bool) -> None:
    """Print one update.

    Raises:
        ConfigError: a setting is invalid.
        DatabaseError: the database can't be read.
        TgllmError: there is none with that id.
    """

    def query(conn: Connection) -> tuple[InboxRow | None, Sequence[InboxRow], Sequence[Call]]:
        calls = inbox_care.calls_of(conn, turn_id_of(update_id))
        return inbox.get(conn, update_id), inbox.followers(conn, update_id), calls

    nothing = None, list[InboxRow](), list[Call]()
    row, parts, calls = look_at(options, query, nothing) if 0 <= update_id <= MOST_ID else nothing
    if row is None:
        from tgllm.i18n import Catalogue  # noqa: PLC0415  only for an id that is not known

        raise TgllmError(Catalogue()("shell.inbox_unknown", id=update_id))
    if as_json:
        details = {"parts": [part.update_id for part in parts], "calls": [asdict(call) for call in calls]}
        print_json(_object(row) | details | {"payload": json.loads(row.payload)})
        return
    print_table(
        ("Field", "Value"), ((name, str(value)) for name, value in _object(row).items() if value not in {None, False})
    )
    for part in parts:
        say(f"+ {part.update_id} {part.kind}")
    for call in calls:
        said = "" if call.message_id is None else f" {call.message_id}"
        say(f"> {call.method} {call.state}{said}{f': {call.error}' if call.error else ''}")
    say(json.dumps(json.loads(row.payload), ensure_ascii=False, indent=2))


def _row(row: InboxRow) -> Sequence[str]:
    error = one_line(row.error or "", MOST_ERROR) or "-"
    chat = _chat_id(row)
    shown = "-" if chat is None else str(chat)
    return str(row.update_id), row.state, row.kind, shown, moment(row.received_at), str(row.attempts), error


def _object(row: InboxRow) -> dict[str, object]:
    """Return the JSON object of an update, without its content; times are ISO 8601 in UTC."""
    return {
        "id": row.update_id,
        "state": row.state,
        "kind": row.kind,
        "lane": row.lane,
        "chat": _chat_id(row),
        "control": row.control,
        "stranger": row.stranger,
        "part_of": row.leader_id,
        "attempts": row.attempts,
        "crashes": row.crashes,
        "received_at": iso_time(row.received_at),
        "started_at": iso_time(row.started_at),
        "finished_at": iso_time(row.finished_at),
        "error": row.error,
    }


def _chat_id(row: InboxRow) -> int | None:
    """Return the id of the chat; None for an update that can't be decoded."""
    try:
        return Lane.parse(row.lane).chat_id
    except ValueError:
        return None
