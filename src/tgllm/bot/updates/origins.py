"""Origins of forwarded messages, in a form that can be read.

An origin of which Telegram says less than the Bot API promises, such as a hidden user without a name, or of a kind that
is not known, becomes a hidden user: a message must not stay without an answer because of where it comes from.
"""

from collections.abc import Callable, Mapping
from typing import Any, Final

from tgllm.bot.updates.values import as_id, as_mapping, is_set

__all__ = ["with_readable_origins"]

Json = Mapping[str, Any]


def with_readable_origins(message: Json) -> Json:
    """Return the message with origins of a known form: its own, and those of the messages to which it replies."""
    message = _mended(message, "forward_origin")
    replied, elsewhere = as_mapping(message.get("reply_to_message")), as_mapping(message.get("external_reply"))
    changed = {"reply_to_message": _mended(replied, "forward_origin"), "external_reply": _mended(elsewhere, "origin")}
    pairs = (("reply_to_message", replied), ("external_reply", elsewhere))
    news = {name: changed[name] for name, before in pairs if changed[name] is not before}
    return {**message, **news} if news else message


def _mended(holder: Json, name: str) -> Json:
    """Return the object with a readable origin; the same object if it is, or if it has none."""
    if not is_set(holder.get(name)) or _is_readable(as_mapping(holder[name])):
        return holder
    origin = as_mapping(holder[name])
    words = origin.get("sender_user_name")
    hidden = {
        "type": "hidden_user",
        "date": as_id(origin.get("date")) or 0,
        "sender_user_name": words if isinstance(words, str) else "",
    }
    return {**holder, name: hidden}


def _is_readable(origin: Json) -> bool:
    check = _CHECKS.get(str(origin.get("type")))
    return check is not None and as_id(origin.get("date")) is not None and check(origin)


def _is_user(user: object) -> bool:
    known = as_mapping(user)
    is_named = isinstance(known.get("first_name"), str) and isinstance(known.get("is_bot"), bool)
    return is_named and as_id(known.get("id")) is not None


def _is_chat(chat: object) -> bool:
    known = as_mapping(chat)
    return as_id(known.get("id")) is not None and isinstance(known.get("type"), str)


_CHECKS: Final[Mapping[str, Callable[[Json], bool]]] = {
    "user": lambda origin: _is_user(origin.get("sender_user")),
    "hidden_user": lambda origin: isinstance(origin.get("sender_user_name"), str),
    "chat": lambda origin: _is_chat(origin.get("sender_chat")),
    "channel": lambda origin: _is_chat(origin.get("chat")) and as_id(origin.get("message_id")) is not None,
}
"""Bot API: MessageOrigin. Returns whether an origin of that type has its required fields."""
