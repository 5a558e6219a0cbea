"""Whose answer it is: in a group, only who asked and the bot's admins stop it, have it asked again, or take it back."""

from tgllm.bot.scope import Scope
from tgllm.db.engine.unit import Connection
from tgllm.db.tables import users
from tgllm.db.tables.messages import Message
from tgllm.services.common.text import one_line
from tgllm.services.conversations import branches
from tgllm.services.people.names import full_name

__all__ = ["is_theirs", "last_question", "name_of", "not_theirs"]

MOST_NAME = 60
"""UTF-16 units of a name: a text at a button has 200 in all (Bot API: answerCallbackQuery)."""


def is_theirs(scope: Scope, *asker_ids: int | None) -> bool:
    """Whether the update's sender may decide about an answer.

    Args:
        scope: the update.
        asker_ids: who asked for it; None where that is not known any more, and then it is everybody's.
    """
    return scope.user.is_admin or scope.user.id in asker_ids or None in asker_ids


def not_theirs(scope: Scope, name: str) -> str:
    """What the sender is told of an answer that somebody of that name has asked for."""
    return scope.text("turn.not_yours", name=one_line(name, MOST_NAME))


async def last_question(scope: Scope) -> tuple[Message | None, str]:
    """What was asked last in the chat, and the name of the one who said it."""

    def read(conn: Connection) -> tuple[Message | None, str]:
        question = branches.last_question(conn, scope.lane.key)
        return question, name_of(conn, None if question is None else question.user_id)

    return await scope.read(read)


def name_of(conn: Connection, user_id: int | None) -> str:
    """What somebody is called; empty for nobody."""
    user = None if user_id is None else users.get(conn, user_id)
    return "" if user is None else full_name(user)
