"""Implementation of ``tgllm audit``."""

import json
from collections.abc import Mapping, Sequence

from tgllm.cli.failure import tell_text
from tgllm.cli.options import Options
from tgllm.cli.output import print_json, print_table
from tgllm.cli.stored import look_at
from tgllm.cli.words import group_name, moment, person_name
from tgllm.db.engine.unit import Connection
from tgllm.db.tables import groups, users
from tgllm.db.tables.audit import AuditRow
from tgllm.db.tables.tools import trail
from tgllm.services.common.text import one_line
from tgllm.services.common.times import iso_time, iso_times

__all__ = ["run_audit"]

COLUMNS = ("Time (UTC)", "Who", "From", "What", "Whom", "Details")
MOST_DETAILS = 1000
"""Maximum length of the details, in UTF-16 units."""

Names = Mapping[int, str]
"""Display names of users and groups, by id."""


def run_audit(options: Options, limit: int, *, as_json: bool) -> None:
    """Print the latest changes and calls of tools.

    Raises:
        ConfigError: a setting is invalid.
        DatabaseError: the database can't be read.
    """
    rows, names = look_at(options, lambda conn: _read(conn, limit), (list[AuditRow](), dict[int, str]()))
    if as_json:
        print_json([_object(row) for row in rows])
    elif rows:
        print_table(COLUMNS, (_row(row, names) for row in rows))
    if not rows:
        tell_text("shell.audit_none")


def _read(conn: Connection, limit: int) -> tuple[list[AuditRow], dict[int, str]]:
    rows = trail.list_recent(conn, limit)
    ids = {row.actor_id for row in rows} | {_id(row.target) for row in rows}
    people = [users.get(conn, user_id) for user_id in ids if user_id is not None]
    chats = [groups.get(conn, chat_id) for chat_id in ids if chat_id is not None and chat_id < 0]
    names = {user.id: person_name(user) for user in people if user is not None}
    return rows, names | {group.id: group_name(group) for group in chats if group is not None}


def _row(row: AuditRow, names: Names) -> Sequence[str]:
    return (
        moment(row.at),
        "-" if row.actor_id is None else names.get(row.actor_id, str(row.actor_id)),
        row.source,
        row.action,
        names.get(_id(row.target) or 0, one_line(row.target or "-", MOST_DETAILS)),
        one_line(", ".join(f"{key}: {_value(value)}" for key, value in iso_times(row.details).items()), MOST_DETAILS),
    )


def _object(row: AuditRow) -> dict[str, object]:
    """Return the JSON object of a change; times are ISO 8601 in UTC."""
    return {
        "at": iso_time(row.at),
        "actor_id": row.actor_id,
        "source": row.source,
        "action": row.action,
        "target": row.target,
        "details": iso_times(row.details),
    }


def _value(value: object) -> str:
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)


def _id(target: str | None) -> int | None:
    """Return the id in a target, or None if the target is no id."""
    digits = (target or "").removeprefix("-")
    return int(target or "") if digits.isascii() and digits.isdecimal() and len(digits) < 19 else None
