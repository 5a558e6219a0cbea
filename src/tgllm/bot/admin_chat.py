"""The admin chat of the settings, also after it has become a supergroup."""

from tgllm.bot.scope import UpdateScope
from tgllm.services.chats.moved_chats import present_id

__all__ = ["is_admin_chat", "is_confidential"]


async def is_confidential(scope: UpdateScope) -> bool:
    """Whether only those read along who the operator wants to: in private, and in the admin chat."""
    return scope.chat.is_private or await is_admin_chat(scope)


async def is_admin_chat(scope: UpdateScope) -> bool:
    """Whether an update comes from the admin chat."""
    chat_id, core = scope.parts.core.config.admin_chat_id, scope.parts.core
    if chat_id is None or scope.chat.id == chat_id:
        return chat_id is not None
    return scope.chat.id == await core.database.read(lambda conn: present_id(conn, chat_id))
