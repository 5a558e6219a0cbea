"""Move of a group's rows to a new chat id: Telegram changes the id when a group becomes a supergroup."""

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
    "UPDATE OR REPLACE tool_grants SET lane = :new_lane WHERE lane = :old_lane",
    # What is not sent yet gets its id in the new chat.
    """
    UPDATE plugin_messages SET lane = :new_lane, parts = (
        SELECT json_group_array(json_array(value ->> 0, value ->> 1, NULL, NULL, NULL)) FROM json_each(parts)
    ) WHERE lane = :old_lane
    """,
    "UPDATE OR IGNORE budgets SET scope = 'group:' || :new WHERE scope = 'group:' || :old",
    "DELETE FROM budgets WHERE scope = 'group:' || :old",
    "UPDATE OR IGNORE budget_periods SET scope = 'group:' || :new WHERE scope = 'group:' || :old",
    "DELETE FROM budget_periods WHERE scope = 'group:' || :old",
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
        requests = requests + excluded.requests,
        input_tokens = input_tokens + excluded.input_tokens,
        output_tokens = output_tokens + excluded.output_tokens,
        cost_micros = cost_micros + excluded.cost_micros,
        unpriced_requests = unpriced_requests + excluded.unpriced_requests
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
    UPDATE outbox SET chat_id = :new, known_id = NULL, lane = iif(lane = :old_lane, :new_lane, lane),
        payload = json_remove(json_set(payload, '$.chat_id', :new), '$.reply_parameters')
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
    values = {"old": old, "new": new, "old_lane": old_lane, "new_lane": new_lane}
    for statement in (*_CONVERSATIONS, *_MOVES, *_USAGE, *_OUTBOX):
        conn.execute(statement, values)
    signal(conn, "outbox")
