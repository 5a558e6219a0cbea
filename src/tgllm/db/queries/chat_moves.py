"""Move of a group's rows to a new chat id: Telegram changes the id when a group becomes a supergroup."""

import json

from tgllm.db.engine.rows import dumps
from tgllm.db.engine.signals import signal
from tgllm.db.engine.unit import Connection

__all__ = ["move"]

# Existing rows of the new chat take precedence: they were written after the move.
_MOVES = (
    "UPDATE facts SET lane = :new_lane, message_id = NULL WHERE lane = :old_lane",
    "UPDATE facts SET owner = :new WHERE owner = :old",
    "UPDATE fact_proposals SET lane = :new_lane, owner = :new, message_id = NULL WHERE lane = :old_lane",
    "UPDATE tool_rounds SET lane = :new_lane WHERE lane = :old_lane",
    "UPDATE tool_calls SET lane = :new_lane WHERE lane = :old_lane",
    "UPDATE reminders SET lane = :new_lane, message_id = 0 WHERE lane = :old_lane",
    """
    DELETE FROM tool_grants WHERE lane = :new_lane AND (tool, plugin_id, user_id) IN (
        SELECT tool, plugin_id, user_id FROM tool_grants WHERE lane = :old_lane)
    """,
    "UPDATE tool_grants SET lane = :new_lane WHERE lane = :old_lane",
    """
    UPDATE budgets SET scope = :new_scope WHERE scope = :old_scope AND (measure, period) NOT IN (
        SELECT measure, period FROM budgets WHERE scope = :new_scope)
    """,
    "DELETE FROM budgets WHERE scope = :old_scope",
    """
    UPDATE budget_periods SET scope = :new_scope WHERE scope = :old_scope AND (measure, period, first_day) NOT IN (
        SELECT measure, period, first_day FROM budget_periods WHERE scope = :new_scope)
    """,
    "DELETE FROM budget_periods WHERE scope = :old_scope",
)
_CONVERSATIONS = (
    """
    UPDATE conversations SET active = 0
    WHERE lane = :old_lane AND EXISTS (SELECT 1 FROM conversations WHERE lane = :new_lane AND active = 1)
    """,
    "UPDATE conversations SET lane = :new_lane WHERE lane = :old_lane",
)
_USAGE = (
    """
    INSERT INTO usage (user_id, group_id, day, provider, model, requests, input_tokens, output_tokens, cost_micros,
                       unpriced_requests)
    SELECT user_id, :new, day, provider, model, requests, input_tokens, output_tokens, cost_micros, unpriced_requests
    FROM usage WHERE group_id = :old
    ON CONFLICT (user_id, day, group_id, provider, model) DO UPDATE SET
        requests = usage.requests + excluded.requests,
        input_tokens = usage.input_tokens + excluded.input_tokens,
        output_tokens = usage.output_tokens + excluded.output_tokens,
        cost_micros = usage.cost_micros + excluded.cost_micros,
        unpriced_requests = usage.unpriced_requests + excluded.unpriced_requests
    """,
    "DELETE FROM usage WHERE group_id = :old",
)
# Message ids of the old chat are not valid in the new one: unsent edits and deletions are dropped, and replies are sent
# as plain messages. The new chat counts its messages anew, so what may have arrived in the old one can't be looked for.
_OUTBOX = (
    """
    UPDATE outbox SET state = 'dropped', error = 'the group became another chat'
    WHERE chat_id = :old AND state IN ('ready', 'uncertain') AND json_extract(payload, '$.message_id') IS NOT NULL
    """,
    "UPDATE outbox SET message_id = NULL WHERE chat_id = :old AND state = 'sent'",
    """
    UPDATE outbox SET known_id = NULL, lane = CASE lane WHEN :old_lane THEN :new_lane ELSE lane END
    WHERE chat_id = :old AND state IN ('ready', 'uncertain')
    """,
)


def move(conn: Connection, old: int, new: int, old_lane: str, new_lane: str) -> None:
    """Move conversations, facts, budgets, usage and unsent outbox rows to the new chat.

    It can be repeated for rows that the old chat has got since. An active conversation of the old chat is archived if
    the new chat has an active one. Bot API: Message, migrate_to_chat_id.

    Args:
        conn: an open write transaction.
        old: id of the group.
        new: id of the supergroup that it has become.
        old_lane: lane of the group, which has no topics and so only this lane.
        new_lane: lane of the supergroup.
    """
    values = {
        "old": old,
        "new": new,
        "old_lane": old_lane,
        "new_lane": new_lane,
        "old_scope": f"group:{old}",
        "new_scope": f"group:{new}",
    }
    for statement in (*_CONVERSATIONS, *_MOVES, *_USAGE, *_OUTBOX):
        conn.execute(statement, values)
    _move_plugin_messages(conn, old_lane, new_lane)
    _move_unsent(conn, old, new)
    signal(conn, "outbox")


def _move_plugin_messages(conn: Connection, old_lane: str, new_lane: str) -> None:
    """Move messages of plugins, without Telegram's ids: what is not sent yet gets its id in the new chat."""
    for row in conn.execute("SELECT id, parts FROM plugin_messages WHERE lane = ?", (old_lane,)).fetchall():
        parts = dumps([[*part[:2], None, None, None] for part in json.loads(row["parts"])])
        conn.execute("UPDATE plugin_messages SET lane = ?, parts = ? WHERE id = ?", (new_lane, parts, row["id"]))


def _move_unsent(conn: Connection, old: int, new: int) -> None:
    """Address the unsent calls to the new chat."""
    unsent = "SELECT id, payload FROM outbox WHERE chat_id = ? AND state IN ('ready', 'uncertain')"
    for row in conn.execute(unsent, (old,)).fetchall():
        payload = {**json.loads(row["payload"]), "chat_id": new}
        payload.pop("reply_parameters", None)
        conn.execute("UPDATE outbox SET chat_id = ?, payload = ? WHERE id = ?", (new, dumps(payload), row["id"]))
