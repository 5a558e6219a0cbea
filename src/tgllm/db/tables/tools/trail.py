"""The audit trail with the calls of tools, which have a table of their own."""

from dataclasses import replace
from typing import Any, cast

from tgllm.db.engine.rows import read_all
from tgllm.db.engine.unit import Connection
from tgllm.db.tables.audit import AuditRow

__all__ = ["CALL", "count", "list_recent"]

CALL = "tool.call"
"""Action of a call; the actor is the person for whom the model made it, and the target is the tool."""

_ROWS = f"""
    SELECT * FROM (
        SELECT id, at, actor_id, source, action, target, details FROM audit
        WHERE :target IS NULL OR target = :target
        UNION ALL
        SELECT -id, created_at, user_id, CASE WHEN user_id IS NULL THEN 'shell' ELSE 'telegram' END, '{CALL}', tool,
            CAST(json_object(
                'outcome', state, 'plugin', plugin_id, 'ms', finished_at - started_at, 'error', error, 'arguments',
                CASE WHEN length(arguments) > 300 THEN substr(arguments, 1, 300) || '…' ELSE arguments END) AS TEXT)
        FROM tool_calls WHERE :target IS NULL OR user_id = CAST(:target AS INTEGER)
    )
"""  # noqa: S608 (constants)


def list_recent(conn: Connection, limit: int, *, target: str | None = None, offset: int = 0) -> list[AuditRow]:
    """Return the latest changes and calls, newest first; skip the first ``offset``.

    Args:
        conn: an open connection.
        limit: most rows.
        target: of the changes, and the id of the person of the calls; None: all.
        offset: rows to skip.
    """
    from tgllm.observe.redaction import redacted_texts  # noqa: PLC0415  commands without the trail need none

    cursor = conn.execute(
        f"{_ROWS} ORDER BY at DESC, abs(id) DESC LIMIT :limit OFFSET :offset",
        {"target": target, "limit": limit, "offset": offset},
    )
    # What a model writes as an argument may be a secret.
    return [
        replace(row, details=cast("dict[str, Any]", redacted_texts(row.details))) if row.action == CALL else row
        for row in read_all(AuditRow, cursor)
    ]


def count(conn: Connection, target: str | None = None) -> int:
    """Return the number of changes and calls, of all targets or of one."""
    cursor = conn.execute(f"SELECT count(*) FROM ({_ROWS})", {"target": target})  # noqa: S608 (constants)
    return int(cursor.fetchone()[0])
