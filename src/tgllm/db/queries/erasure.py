"""Erasure of a person's data: the content of their private chats, and references to them elsewhere."""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, cast

from tgllm.db.engine.signals import signal
from tgllm.db.engine.unit import Connection
from tgllm.db.tables import errors, files
from tgllm.db.tables.plugins import jobs, unreachable
from tgllm.db.tables.plugins import values as plugin_values
from tgllm.db.tables.reminders import store as reminders
from tgllm.db.tables.shared import question_times
from tgllm.db.tables.tools import grants as tool_grants

__all__ = ["Erased", "erase", "is_busy"]


@dataclass(frozen=True, slots=True)
class Erased:
    """Number of erased rows, and files to remove."""

    conversations: int
    messages: int
    files: int
    requests: int
    """Model calls that no longer refer to the person; their token counts and costs stay."""
    paths: Sequence[str]
    """Paths of unreferenced blobs and of files that were to be sent, relative to the data folder or absolute; to be
    removed after the commit."""
    calls: Sequence[int]
    """Calls of tools that have ended by it."""


# A private chat has the user's id, and each of its topics is a lane. Chats of a business connection are excluded: they
# belong to other people.
_MINE = "lane GLOB ':' || :user || ':*'"
_MY_MESSAGES = f"SELECT id FROM messages WHERE conversation_id IN (SELECT id FROM conversations WHERE {_MINE})"  # noqa: S608 (constants)

_BUSY = f"SELECT 1 FROM inbox WHERE {_MINE} AND state = 'running' AND control = 0 AND update_id <> :update LIMIT 1"  # noqa: S608 (constants)
_FILES = f"SELECT id FROM files WHERE message_id IN ({_MY_MESSAGES}) OR (user_id = :user AND message_id IS NULL)"  # noqa: S608 (constants)
_MESSAGES = f"SELECT count(*) FROM ({_MY_MESSAGES})"  # noqa: S608 (constants)
_CONVERSATIONS = f"DELETE FROM conversations WHERE {_MINE}"  # noqa: S608 (constants)
# Of a group, what the person has pinned there by hand is the group's; what they let the bot remember of them is theirs.
_FACTS = f"DELETE FROM facts WHERE {_MINE} OR owner = :user OR (user_id = :user AND source = 'model')"  # noqa: S608 (constants)
_PROPOSALS = f"DELETE FROM fact_proposals WHERE {_MINE} OR user_id = :user"  # noqa: S608 (constants)
_REQUESTS = "UPDATE requests SET user_id = NULL, error_text = NULL WHERE user_id = :user"
# Cards of the person's calls, which show the arguments; those in the chats of admins too. Unsent ones are dropped.
_CARDS = """
    UPDATE outbox SET payload = '{}', error = NULL,
        state = CASE WHEN state IN ('ready', 'uncertain') THEN 'dropped' ELSE state END
    WHERE turn_id IN (SELECT 'tool:' || id FROM tool_calls WHERE user_id = :user)
"""
# A running turn that has lost its rounds ends. The rows of calls stay for the limits per day, without what was said. A
# call that has not ended could only be made without its arguments, or store a result later. A turn that starts again
# makes calls and requests of its own.
_OF_ROUNDS = f"""
    UPDATE requests SET turn_id = 'erased:' || id
    WHERE turn_id IN (SELECT turn_id FROM tool_rounds WHERE {_MINE} OR user_id = :user)
"""  # noqa: S608 (constants)
_ROUNDS = f"DELETE FROM tool_rounds WHERE {_MINE} OR user_id = :user"  # noqa: S608 (constants)
_OPEN_CALLS = f"""
    SELECT id FROM tool_calls
    WHERE ({_MINE} OR user_id = :user) AND state IN ('asked', 'waiting', 'approved', 'running')
"""  # noqa: S608 (constants)
_CALLS = f"""
    UPDATE tool_calls SET turn_id = 'erased:' || id, call_id = '', arguments = '', result = '', extras = '{{}}',
        error = NULL,
        state = CASE WHEN state IN ('asked', 'waiting', 'approved', 'running') THEN 'stopped' ELSE state END
    WHERE {_MINE} OR user_id = :user
"""  # noqa: S608 (constants)
_KV = "DELETE FROM kv WHERE key = CAST(:user AS TEXT) AND scope NOT GLOB 'plugin:*'"
# A message with a key stays without its content, so that its plugin does not send it again.
_KEYBOARDS = f"DELETE FROM plugin_keyboards WHERE message_id IN (SELECT id FROM plugin_messages WHERE {_MINE})"  # noqa: S608 (constants)
_PLUGIN_MESSAGES = f"DELETE FROM plugin_messages WHERE {_MINE} AND key IS NULL"  # noqa: S608 (constants)
_KEYED = f"UPDATE plugin_messages SET parts = '[]' WHERE {_MINE}"  # noqa: S608 (constants)
# The rows stay, so that a repeated update is still recognised. Updates of a turn that is queued or running keep their
# content.
_INBOX = f"""
    UPDATE inbox SET payload = '{{"update_id":' || update_id || '}}', error = NULL
    WHERE {_MINE} AND state NOT IN ('queued', 'running') AND update_id <> :update
      AND NOT EXISTS (SELECT 1 FROM inbox AS leader
                      WHERE leader.update_id = inbox.leader_id AND leader.state IN ('queued', 'running'))
"""  # noqa: S608 (constants)
# Unsent rows without a turn, such as a notice to an admin, are not the person's content. Rows that are being sent are
# not sent again: see ``outbox.drop_erased``.
_MY_OUTBOX = f"""
    {_MINE} AND (state IN ('sent', 'uncertain', 'failed', 'dropped') OR turn_id IS NOT NULL)
"""
_OUTBOX = f"""
    UPDATE outbox SET payload = '{{}}', error = NULL,
        state = CASE WHEN state IN ('ready', 'uncertain') THEN 'dropped' ELSE state END
    WHERE {_MY_OUTBOX}
"""  # noqa: S608 (constants)
# Answers and exports that were to be sent as files. Files of conversations have rows of their own, and may share a blob
# with those of other people.
_DOCUMENTS = f"""
    SELECT payload FROM outbox WHERE {_MY_OUTBOX} AND (payload LIKE '%"document"%' OR payload LIKE '%"photo"%')
"""  # noqa: S608 (constants)


def is_busy(conn: Connection, user_id: int, update_id: int) -> bool:
    """Return whether an update other than ``update_id`` is running in the person's private chat."""
    return conn.execute(_BUSY, {"user": user_id, "update": update_id}).fetchone() is not None


def erase(conn: Connection, user_id: int, update_id: int) -> Erased:
    """Erase conversations, facts, files, settings, and the content of updates and answers of the person's private chat.

    The values and jobs that plugins have for the person are erased too, and the buttons of their messages with the data
    of those. These stay: the user's row with the decision on their access, usage totals, the audit trail, messages in
    groups, and what plugins keep elsewhere.

    Args:
        conn: an open write transaction.
        user_id: Telegram's user id.
        update_id: the update with the request to erase, whose row is still needed.
    """
    values = {"user": user_id, "update": update_id}
    found = [int(row[0]) for row in conn.execute(_FILES, values)]
    calls = [int(row[0]) for row in conn.execute(_OPEN_CALLS, values)]
    paths = [files.delete(conn, file_id) for file_id in found]
    paths += [_document(str(row[0])) for row in conn.execute(_DOCUMENTS, values)]
    messages = int(conn.execute(_MESSAGES, values).fetchone()[0])
    conversations = conn.execute(_CONVERSATIONS, values).rowcount
    requests = conn.execute(_REQUESTS, values).rowcount
    for statement in (
        _CARDS,
        _OF_ROUNDS,
        _ROUNDS,
        _CALLS,
        _FACTS,
        _PROPOSALS,
        _KV,
        _INBOX,
        _OUTBOX,
        _KEYBOARDS,
        _PLUGIN_MESSAGES,
        _KEYED,
    ):
        conn.execute(statement, values)
    errors.forget_person(conn, user_id)
    tool_grants.forget(conn, user_id)
    plugin_values.forget(conn, user_id)
    jobs.forget(conn, user_id)
    reminders.forget(conn, user_id)
    unreachable.reached(conn, user_id)
    question_times.forget(conn, user_id)
    signal(conn, "outbox")
    # The language of their choice is among what is deleted.
    signal(conn, "menus")
    return Erased(conversations, messages, len(found), requests, [path for path in paths if path is not None], calls)


def _document(payload: str) -> str | None:
    """Return the path of the file that an outbox row was to send; None if it sends none, or one that is kept."""
    call = json.loads(payload)
    file: object = call.get("document") or call.get("photo")
    if not isinstance(file, dict):
        return None
    upload = cast("dict[str, Any]", file)
    return upload.get("path") if upload.get("kept") is None else None
