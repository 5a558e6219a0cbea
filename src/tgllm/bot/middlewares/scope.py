"""Creates the scope of an update."""

from collections.abc import Awaitable, Callable
from typing import TYPE_CHECKING, Any, cast

from aiogram import BaseMiddleware
from aiogram.types import (
    CallbackQuery,
    Chat,
    ChatMemberUpdated,
    Message,
    MessageGenerationStopped,
    TelegramObject,
    Update,
    User,
)

from tgllm.api import ChatInfo, ChatKind
from tgllm.bot.parts import BotParts
from tgllm.bot.scope import UpdateScope
from tgllm.db.tables.users import SeenUser
from tgllm.services.common.lane import Lane

if TYPE_CHECKING:
    from tgllm.db.tables.inbox import InboxRow

__all__ = ["ScopeMiddleware"]

Handler = Callable[[TelegramObject, dict[str, Any]], Awaitable[object]]


class ScopeMiddleware(BaseMiddleware):
    """Reads the sender and the chat of an update into its scope."""

    def __init__(self, parts: BotParts) -> None:
        self._parts = parts

    async def __call__(self, handler: Handler, event: TelegramObject, data: dict[str, Any]) -> object:
        """Create the scope and run the rest of the chain."""
        row: InboxRow = data["inbox_row"]
        content = event.event if isinstance(event, Update) else event
        lane = Lane.parse(row.lane)
        data["scope"] = UpdateScope(
            row=row,
            parts=self._parts,
            lane=lane,
            chat=_chat_info(_chat_of(content), lane),
            person=_person(content),
            user=None,
            first_look=data["first_look"],
        )
        return await handler(event, data)


def _chat_of(content: object) -> Chat | None:
    match content:
        case Message() | MessageGenerationStopped() | ChatMemberUpdated():
            return content.chat
        case CallbackQuery(message=message) if message is not None:
            return message.chat
        case _:
            return None


def _chat_info(chat: Chat | None, lane: Lane) -> ChatInfo:
    if chat is None:
        return ChatInfo(lane.chat_id, "private", topic_id=lane.topic_id)
    # A type that Telegram may add is private only if the id is a user's: only these are positive (Bot API: Chat).
    unknown = "private" if chat.id > 0 else "supergroup"
    kind = chat.type if chat.type in {"private", "group", "supergroup", "channel"} else unknown
    known = cast("ChatKind", kind)  # narrowed by the line above
    return ChatInfo(chat.id, known, chat.title or "", lane.topic_id, lane.direct_topic_id)


def _person(content: object) -> SeenUser | None:
    """Return the sender. A stopped draft has none, but drafts exist only in private chats, whose id is the user's."""
    match content:
        case Message(from_user=User() as user) | CallbackQuery(from_user=user) | ChatMemberUpdated(from_user=user):
            return SeenUser(user.id, user.username, user.first_name, user.last_name, user.language_code)
        case MessageGenerationStopped(chat=chat) if chat.type == "private":
            return SeenUser(chat.id, chat.username, chat.first_name or "", chat.last_name)
        case _:
            return None
