"""Effects of an edit on its question: a waiting question is replaced, a running turn is stopped.

A question whose turn was stopped is asked again when the edit's own update runs.
"""

import json
from collections.abc import Iterable, Mapping
from typing import Any

from tgllm.bot.scope import Scope
from tgllm.bot.telegram.downloads import MOST_BYTES
from tgllm.bot.turns.addressing import words_in
from tgllm.bot.turns.attachments import attachments_in
from tgllm.bot.ui.command_table import parse_command
from tgllm.bot.updates.formats.markdown import markdown_of
from tgllm.bot.updates.formats.written import written_in
from tgllm.bot.updates.raw import content_of, turn_id_of
from tgllm.bot.updates.values import as_id, as_mapping
from tgllm.db.engine.unit import Connection
from tgllm.db.queries.scrub import scrub
from tgllm.db.tables import inbox
from tgllm.db.tables.inbox import InboxRow, NewUpdate
from tgllm.services.admin_password.questions import Questions
from tgllm.services.common.lane import Lane
from tgllm.services.common.update_notes import HIDDEN, WAITS, notes_of, with_note
from tgllm.services.conversations.turn import Turn
from tgllm.services.turns.running import RunningTurns

__all__ = ["begins_anew", "stop_superseded", "take_edits"]


def take_edits(
    conn: Connection, updates: Iterable[NewUpdate | InboxRow], username: str, questions: Questions, now: int
) -> dict[int, str]:
    """Replace waiting messages by their edits; commands are not replaced.

    Args:
        conn: in a transaction in which the updates are stored already.
        updates: updates that may be edits.
        username: the bot's own, without the @.
        questions: for the admin password; a possible password must not replace a question for the model.
        now: UTC, in milliseconds.

    Returns:
        Turns whose updates are running, but may not have started the turn: by the id of the edit's update, which waits.
    """
    begun: dict[int, str] = {}
    for update in updates:
        edited = _edited(update)
        message_id = as_id(edited.get("message_id"))
        hidden = HIDDEN in notes_of(update.payload)
        if message_id is None or hidden or questions.of(Lane.parse(update.lane).chat_id) is not None:
            continue
        row = _latest(conn, update, message_id, username)
        if row is None or _is_command(edited, username):
            continue
        leader = row if row.leader_id is None else inbox.get(conn, row.leader_id)
        if leader is not None and leader.state == "running":
            begun[update.update_id] = turn_id_of(leader.update_id)
            continue
        payload = json.dumps({"update_id": row.update_id, row.kind: edited}, separators=(",", ":"))
        if WAITS in notes_of(row.payload):
            payload = with_note(payload, WAITS)
        inbox.rewrite(conn, row.update_id, payload)
        # The merged parts continued the old text; they may not continue the new one.
        inbox.separate(conn, row.update_id)
        # The text is kept only in the rewritten update, which is emptied if its sender is not approved.
        scrub(conn, update.update_id)
        inbox.finish(conn, update.update_id, "done", now)
    return begun


def stop_superseded(
    updates: Iterable[NewUpdate | InboxRow],
    begun: Mapping[int, str],
    running: RunningTurns,
    bot_id: int,
    username: str,
    *,
    most_bytes: int = MOST_BYTES,
) -> None:
    """Stop the turns whose question is edited by one of these updates, which are stored already.

    Args:
        updates: the new updates.
        begun: the result of ``take_edits``.
        running: all turns.
        bot_id: the bot's own id.
        username: the bot's own, without the @.
        most_bytes: the largest file that can be downloaded.
    """
    for update in updates:
        present, begun_id = running.in_lane(update.lane), begun.get(update.update_id)
        if begun_id is not None and (present is None or present.turn.id != begun_id):
            running.outdate(update.lane, begun_id)
        elif present is not None and _is_superseded(present.turn, _edited(update), bot_id, username, most_bytes):
            present.stop("person")


async def begins_anew(scope: Scope) -> bool:
    """Restart an update whose messages were edited since it was claimed, and return whether it was.

    Called directly before its turn starts. The update is queued again, with the edited text.
    """
    core, row, now = scope.core, scope.row, scope.now
    if not core.running.take_outdated(row.lane, turn_id_of(row.update_id)):
        return False

    def unit(conn: Connection) -> None:
        inbox.release(conn, row.update_id)
        take_edits(conn, inbox.queued_edits(conn), scope.parts.username, core.password.questions, now)

    await scope.write(unit)
    scope.note_ended()
    return True


def _latest(conn: Connection, update: NewUpdate | InboxRow, message_id: int, username: str) -> InboxRow | None:
    """Return the latest update about the edited message that is not a command: the message or an earlier edit."""
    rows = inbox.open_with_message(conn, update.lane, message_id, update.update_id)
    if rows and HIDDEN in notes_of(rows[0].payload):
        return None
    return next((row for row in rows if not _is_command(content_of(row), username)), None)


def _edited(update: NewUpdate | InboxRow) -> Mapping[str, Any]:
    """Return the message after the edit; empty for an update of another kind."""
    if update.kind != "edited_message":
        return {}
    return content_of(update)


def _is_superseded(turn: Turn, edited: Mapping[str, Any], bot_id: int, username: str, most_bytes: int) -> bool:
    """Return whether the turn answers only that message, and its text or its file has changed.

    Telegram also reports other changes. In the question, the text may follow remarks on its sender and on the message
    to which it replies.
    """
    written, message_id = written_in(edited), as_id(edited.get("message_id"))
    if turn.message_ids != (message_id,) or parse_command(written, username) is not None:
        return False
    files = attachments_in(edited, most_bytes)
    if not {each.key for each in files} <= {each.key for each in turn.attachments}:
        return True
    if not written.text:
        return False
    is_private = as_mapping(edited.get("chat")).get("type") == "private"
    # A text that only names the bot is a question if it is a reply.
    words = markdown_of(words_in(written, bot_id, username, is_private=is_private)) or markdown_of(written)
    return turn.text != words and not turn.text.endswith((f"\n{words}", f": {words}"))


def _is_command(message: Mapping[str, Any], username: str) -> bool:
    return parse_command(written_in(message), username) is not None
