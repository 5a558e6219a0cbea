"""Requests to the HTTP control API, with lookup of the named users, chats and messages."""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, cast

from aiohttp import web

from tgllm.testing.emulator.methods.call import Upload
from tgllm.testing.emulator.server.reading import read_form, read_json
from tgllm.testing.emulator.state.bots import EmulatedBot
from tgllm.testing.emulator.state.records import Account, EmulatedChat, EmulatedMessage, EmulatedTopic
from tgllm.testing.emulator.users import EmulatedUser
from tgllm.testing.emulator.world.world import World

__all__ = ["ControlRequest", "read_control_request"]


@dataclass(frozen=True, slots=True)
class ControlRequest:
    """The fields of a request. Methods that look up an object raise LookupError if it does not exist."""

    world: World
    fields: dict[str, Any]
    files: Sequence[Upload] = ()

    def text(self, name: str, default: str | None = None) -> str:
        """Return a string. Raises ValueError if it is missing without a default."""
        value = self.fields.get(name, default)
        if value is None:
            raise ValueError(f"{name} is missing")
        if isinstance(value, dict | list):
            raise ValueError(f"{name} must be a string")  # noqa: TRY004 - invalid input, not a wrong argument
        return str(value)

    def number(self, name: str, default: int | None = None) -> int:
        """Return an integer. Raises ValueError for another value, or if it is missing without a default."""
        value = self.fields.get(name)
        if value is None and default is not None:
            return default
        try:
            return int(value if value is not None else "")
        except (TypeError, ValueError, OverflowError):
            raise ValueError(f"{name} must be a whole number") from None

    def optional_text(self, name: str) -> str | None:
        """Return a string, or None if it is missing."""
        return None if self.fields.get(name) is None else self.text(name)

    def optional_number(self, name: str) -> int | None:
        """Return an integer, or None if it is missing. Raises ValueError for another value."""
        return None if self.fields.get(name) is None else self.number(name)

    def user(self, name: str = "user") -> EmulatedUser:
        """Return the acting user."""
        account = self.world.accounts.get(self.number(name))
        if not isinstance(account, EmulatedUser):
            raise LookupError(f"there is no user {self.number(name)}")  # noqa: TRY004 - not found, not a wrong argument
        return account

    def account(self) -> Account:
        """Return the user or bot in the field ``account``."""
        account = self.world.accounts.get(self.number("account"))
        if account is None:
            raise LookupError(f"there is no account {self.number('account')}")
        return account

    def bot(self) -> EmulatedBot:
        """Return the bot with the id ``bot``, or the first one."""
        bots = list(self.world.bots.values())
        number = self.number("bot", bots[0].id)
        found = next((bot for bot in bots if bot.id == number), None)
        if found is None:
            raise LookupError(f"there is no bot {number}")
        return found

    def chat(self) -> EmulatedChat:
        """Return the chat; a private chat is the one with ``bot``, or with the first bot."""
        chat_id = self.number("chat")
        chat = self.world.chats.get((0, chat_id)) or self.world.chats.get((self.bot().id, chat_id))
        if chat is None:
            raise LookupError(f"there is no chat {chat_id}")
        return chat

    def chat_or_private(self) -> EmulatedChat:
        """Return the chat, by default the private chat of the user."""
        return self.chat() if self.fields.get("chat") is not None else self.user().private_chat(self.bot())

    def topic(self, chat: EmulatedChat) -> EmulatedTopic | None:
        """Return the topic, or None if the field is missing."""
        if self.fields.get("topic") is None:
            return None
        topic = chat.topics.get(self.number("topic"))
        if topic is None:
            raise LookupError(f"there is no topic {self.number('topic')} in chat {chat.id}")
        return topic

    def message(self, name: str = "message") -> EmulatedMessage:
        """Return the message."""
        message = self.chat_or_private().message(self.number(name))
        if message is None:
            raise LookupError(f"there is no message {self.number(name)}")
        return message

    def reply_to(self) -> EmulatedMessage | None:
        """Return the message to reply to, or None if the field is missing."""
        return self.message("reply_to") if self.fields.get("reply_to") is not None else None

    def entities(self) -> list[dict[str, Any]]:
        """Return ``entities`` in Bot API form, also from a JSON string; empty if they are missing.

        Raises ValueError for what is no entity.
        """
        value: object = self.fields.get("entities") or []
        if isinstance(value, str):
            value = json.loads(value)
        if not isinstance(value, list):
            raise ValueError("entities must be an array")  # noqa: TRY004 - invalid input, not a wrong argument
        for item in cast("list[object]", value):
            known = cast("dict[str, Any]", item) if isinstance(item, dict) else {}
            numbers = (known.get("offset"), known.get("length"))
            if not isinstance(known.get("type"), str) or not all(isinstance(each, int) for each in numbers):
                raise ValueError("an entity has a type, an offset and a length")
        return cast("list[dict[str, Any]]", value)


async def read_control_request(world: World, request: web.Request) -> ControlRequest:
    """Read fields from the query string, and from a JSON object or a form with files. Raises ValueError."""
    fields: dict[str, Any] = dict(request.query)
    if request.content_type == "multipart/form-data":
        texts, files = await read_form(request)
        return ControlRequest(world, {**fields, **texts}, tuple(files.values()))
    if request.can_read_body:
        fields.update(_json_object(await request.read()))
    return ControlRequest(world, fields)


def _json_object(body: bytes) -> dict[str, Any]:
    parsed = read_json(body)
    if not isinstance(parsed, dict):
        raise ValueError("the body must be a JSON object")  # noqa: TRY004 - invalid input, not a wrong argument
    return cast("dict[str, Any]", parsed)
