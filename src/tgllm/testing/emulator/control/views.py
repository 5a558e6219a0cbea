"""JSON views of the state for the HTTP control API."""

from typing import Any

from tgllm.testing.emulator.state.bots import EmulatedBot
from tgllm.testing.emulator.state.records import Account, EmulatedChat, EmulatedDraft, EmulatedMessage
from tgllm.testing.emulator.world.command_menus import shown_commands
from tgllm.testing.emulator.world.world import World

__all__ = ["chat_view", "draft_view", "message_view", "state_view", "user_view"]

View = dict[str, Any]
_SHOWN_MESSAGES = 300
_MOST_UNREAD = 1000
_LONGEST_PREVIEW = 120
_KIND_NAMES = {
    "photo": "🖼 Photo",
    "voice": "🎤 Voice message",
    "video": "📹 Video",
    "audio": "🎵 Audio",
    "sticker": "Sticker",
}


def user_view(account: Account) -> View:
    """Return the view of a user or a bot."""
    name = " ".join(filter(None, (account.first_name, account.last_name)))
    return {"id": account.id, "name": name, "username": account.username, "is_bot": account.is_bot}


def state_view(world: World) -> View:
    """Return the view of all users, bots and chats."""
    return {
        "version": world.changes.version,
        "users": [user_view(a) for a in world.accounts.values() if not a.is_bot],
        "bots": [user_view(bot) for bot in world.bots.values()],
        "chats": [_chat_line(chat) for chat in world.chats.values()],
    }


def _chat_line(chat: EmulatedChat) -> View:
    newest = next(chat.newest_first(), None)
    return {
        "id": chat.id,
        "bot": chat.bot.id if chat.bot else None,
        "type": chat.type,
        "title": chat.title or (chat.bot.first_name if chat.bot else ""),
        "members": list(chat.members),
        "topics": [{"id": topic.id, "name": topic.name} for topic in chat.topics.values()],
        "last": _preview(newest) if newest else "",
        "last_from": user_view(newest.sender) if newest else None,
        "last_date": newest.date if newest else None,
        "last_is_service": newest is not None and _service(newest) is not None,
        "unread": {number: chat.unread_of(number, _MOST_UNREAD) for number in _users_in(chat)},
        "migrated_to": chat.migrated_to,
    }


def _users_in(chat: EmulatedChat) -> list[int]:
    return [account.id for account in chat.members.values() if not account.is_bot]


def _preview(message: EmulatedMessage) -> str:
    """Return one line about a message for the list of chats."""
    if service := _service(message):
        return service
    name = "" if message.file is None else _KIND_NAMES.get(_kind(message), message.file.name or "File")
    return " ".join(filter(None, (name, message.text[:_LONGEST_PREVIEW]))).replace("\n", " ")


def _kind(message: EmulatedMessage) -> str:
    return next((kind for kind in _KIND_NAMES if kind in message.fields), "")


def chat_view(world: World, chat: EmulatedChat) -> View:
    """Return the view of a chat with its newest messages, its drafts and its chat actions."""
    now = world.clock.monotonic()
    known = {command["command"]: command for bot in world.bots_in(chat) for command in shown_commands(bot, chat)}
    return {
        **_chat_line(chat),
        "version": world.changes.version,
        "blocked": chat.bot_blocked,
        "actions": [action for action, until in chat.actions.values() if until > now],
        "action_seconds": max((until - now for _, until in chat.actions.values()), default=0.0),
        "commands": list(known.values()),
        "description": _description(chat),
        "suggestions": _suggestions(world, chat),
        "accounts": [{**user_view(a), "status": chat.statuses.get(a.id, "member")} for a in chat.members.values()],
        "messages": [message_view(message) for message in chat.messages[-_SHOWN_MESSAGES:]],
        "drafts": [draft_view(draft) for draft in chat.drafts.values()],
    }


def _description(chat: EmulatedChat) -> str:
    """Return the description of the bot of a private chat, in the user's language; "" if there is none."""
    if not isinstance(chat.bot, EmulatedBot) or chat.user is None:
        return ""
    texts = chat.bot.texts
    return texts.get(("description", chat.user.language_code or "")) or texts.get(("description", ""), "")


def _suggestions(world: World, chat: EmulatedChat) -> list[View]:
    if chat.bot is None or chat.bot is not next(iter(world.bots.values()), None):
        return []
    return [{"label": it.label, "text": it.text, "has_file": it.file is not None} for it in world.suggestions]


def message_view(message: EmulatedMessage) -> View:
    """Return the view of the current state of a message."""
    return {
        "id": message.id,
        "chat": message.chat.id,
        "from": user_view(message.sender),
        "date": message.date,
        "text": message.text,
        "entities": list(message.entities),
        "rich": message.fields.get("rich_message"),
        "buttons": (message.reply_markup or {}).get("inline_keyboard", []),
        "file": _file_view(message),
        "service": _service(message),
        "reply_to": _reply_view(message.reply_to),
        "topic": message.topic.id if message.topic else None,
        "edited": message.is_edited,
        "pinned": message.is_pinned,
        "reactions": _reactions(message),
    }


def _file_view(message: EmulatedMessage) -> View | None:
    file = message.file
    if file is None:
        return None
    is_image = "photo" in message.fields or (file.mime or "").startswith("image/")
    width, height = file.dimensions or (None, None)
    return {
        "id": file.file_id,
        "name": file.name,
        "size": file.size,
        "mime": file.mime,
        "is_image": is_image,
        "width": width,
        "height": height,
    }


def _service(message: EmulatedMessage) -> str | None:
    """Return the text of a service message, or None."""
    if joined := message.fields.get("new_chat_members"):
        names, own = ", ".join(str(user["first_name"]) for user in joined), message.sender
        return f"{names} joined" if joined[0]["id"] == own.id else f"{own.first_name} added {names}"
    if left := message.fields.get("left_chat_member"):
        own, name = message.sender, left["first_name"]
        return f"{name} left" if left["id"] == own.id else f"{own.first_name} removed {name}"
    if "supergroup_chat_created" in message.fields or "group_chat_created" in message.fields:
        return f"{message.sender.first_name} created the group"
    if "migrate_to_chat_id" in message.fields or "migrate_from_chat_id" in message.fields:
        return "the group became a supergroup"
    return None


def _reply_view(message: EmulatedMessage | None) -> View | None:
    if message is None:
        return None
    return {"id": message.id, "name": message.sender.first_name, "text": _preview(message)[:120]}


def _reactions(message: EmulatedMessage) -> list[View]:
    given = ((user, reaction) for user, all_of in message.reactions.items() for reaction in all_of)
    return [{"user": user, "emoji": reaction.get("emoji", "")} for user, reaction in given]


def draft_view(draft: EmulatedDraft) -> View:
    """Return the view of a draft."""
    return {
        "id": draft.id,
        "topic": draft.topic.id if draft.topic else None,
        "text": draft.text,
        "entities": list(draft.content.entities),
        "rich": draft.rich,
        "can_stop": draft.can_stop and not draft.is_stopped,
        "revision": draft.revision,
    }
