"""Replies of plugins to commands and presses."""

from collections.abc import Sequence

from tgllm.api import Reply
from tgllm.bot.replies.composing import in_turn
from tgllm.bot.replies.keyboards import Keyboard
from tgllm.bot.replies.posting import Content, post
from tgllm.bot.scope import Scope
from tgllm.bot.updates.raw import turn_id_of
from tgllm.db.engine.unit import Connection, Unit
from tgllm.db.tables import outbox
from tgllm.db.tables.outbox import ANSWER
from tgllm.db.tables.plugins.messages import NewPluginMessage

__all__ = ["posting"]


async def posting(scope: Scope, plugin_id: str, reply: Reply) -> Sequence[Unit]:
    """Return the effects that send a checked reply of a plugin to the chat of an update.

    A reply with buttons is stored as a message of the plugin; any other one is as good as a text of the bot.
    """
    rows = await scope.parts.composer.compose(scope.lane, reply, scope.language)
    if not rows:
        return ()
    now = scope.now
    if not reply.buttons:
        in_order = in_turn(rows, turn_id_of(scope.row.update_id))
        return (lambda conn: outbox.add(conn, in_order, now),)
    content = Content(rows, Keyboard(reply.buttons))
    new = NewPluginMessage(plugin_id=plugin_id, key=None, lane=scope.lane.key, user_id=scope.user.id, priority=ANSWER)

    def unit(conn: Connection) -> None:
        post(conn, new, content, now)

    return (unit,)
