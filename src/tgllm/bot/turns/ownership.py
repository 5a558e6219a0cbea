"""The last question of a chat, and who may control its answer.

In a group, only the user who asked and the bot's admins may stop, retry or undo an answer.
"""

from dataclasses import dataclass

from tgllm.bot.scope import Scope
from tgllm.db.engine.unit import Connection
from tgllm.db.tables import files, users
from tgllm.db.tables.messages import Message
from tgllm.services.conversations import branches
from tgllm.services.files.attachment import Attachment, attachments_of
from tgllm.services.people.names import chosen_name, full_name

__all__ = ["FilesOfQuestion", "is_theirs", "last_question", "name_of", "not_theirs", "stored_files"]

MOST_NAME = 60
"""UTF-16 units of a name: a text at a button has 200 in all (Bot API: answerCallbackQuery)."""


def is_theirs(scope: Scope, *asker_ids: int | None) -> bool:
    """Return whether the update's sender may control an answer.

    Args:
        scope: the update.
        asker_ids: ids of the users who asked for it; with None, for an unknown user, every user may control it.
    """
    return scope.user.is_admin or scope.user.id in asker_ids or None in asker_ids


def not_theirs(scope: Scope, name: str) -> str:
    """Return the text for a sender who may not control the answer of the user with that name."""
    return scope.text("turn.not_yours", name=chosen_name(name, MOST_NAME))


async def last_question(scope: Scope) -> tuple[Message | None, str]:
    """Return the last question of the chat, and the name of the user who asked it."""

    def read(conn: Connection) -> tuple[Message | None, str]:
        question = branches.last_question(conn, scope.lane.key)
        return question, name_of(conn, None if question is None else question.user_id)

    return await scope.read(read)


@dataclass(frozen=True, slots=True)
class FilesOfQuestion:
    """Files of a question that is asked again."""

    attachments: tuple[Attachment, ...]
    """As they were sent: what is not stored, such as after a failed download, is received again."""
    file_ids: tuple[int, ...]
    """Stored ones that no attachment describes."""


async def stored_files(scope: Scope, question: Message) -> FilesOfQuestion:
    """Return the files of a question that is asked again; those that were removed are left out."""
    attachments = attachments_of(question.parts)
    keys = {each.key for each in attachments}
    kept = await scope.read(lambda conn: files.of_message(conn, question.id))
    return FilesOfQuestion(attachments, tuple(file.id for file in kept if file.key not in keys))


def name_of(conn: Connection, user_id: int | None) -> str:
    """Return the name of a user; empty for None and for an unknown user."""
    user = None if user_id is None else users.get(conn, user_id)
    return "" if user is None else full_name(user)
