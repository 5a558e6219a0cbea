"""Decides by the entities which messages of a group are for the bot."""

import re
from collections.abc import Iterable, Iterator, Mapping
from functools import cache
from typing import Any

from tgllm.bot.updates.command import named_command, parse_command
from tgllm.bot.updates.contents import SPEAKING_FILES
from tgllm.bot.updates.formats.entities import Entity
from tgllm.bot.updates.formats.written import Written, written_in
from tgllm.bot.updates.raw import is_raw_own
from tgllm.bot.updates.values import as_mapping
from tgllm.services.chats.group_mode import GroupMode

__all__ = ["is_raw_heard", "is_text_heard", "mentions_of", "named_in", "speaks_by_file", "speaks_to_bot"]


def is_raw_heard(message: Mapping[str, Any], bot_id: int, username: str, mode: GroupMode) -> bool:
    """Return whether the bot answers a raw message of a group."""
    written = written_in(message)
    author = as_mapping(as_mapping(message.get("reply_to_message")).get("from")).get("id")
    is_own = is_raw_own(message)
    is_spoken_to = speaks_to_bot(bot_id, username, written, author, is_own=is_own)
    says_something = bool(written.text.strip()) or speaks_by_file(name for name, value in message.items() if value)
    return is_text_heard(
        written, username, mode, is_spoken_to=is_spoken_to, is_own=is_own, says_something=says_something
    )


def is_text_heard(
    written: Written, username: str, mode: GroupMode, *, is_spoken_to: bool, is_own: bool, says_something: bool
) -> bool:
    """Return whether the bot answers a message with that text in a group of that mode."""
    if mode == "never":
        return is_own and parse_command(written, username) is not None
    if is_spoken_to:
        return True
    return mode == "always" and says_something and not _is_to_a_bot(written)


def speaks_by_file(fields: Iterable[str]) -> bool:
    """Return whether a message with these fields contains a file that is a question without words."""
    present = set(fields)
    return "animation" not in present and not SPEAKING_FILES.isdisjoint(present)


def speaks_to_bot(bot_id: int, username: str, written: Written, replied_to: object, *, is_own: bool) -> bool:
    """Return whether a text is a command to the bot, a mention of it, or a reply to it."""
    if is_own and parse_command(written, username) is not None:
        return True
    if _is_to_a_bot(written):
        # A command with another bot's name is for that bot, even in a reply to this one.
        return False
    return replied_to == bot_id or any(mentions_of(written, bot_id, username))


def _is_to_a_bot(written: Written) -> bool:
    command = named_command(written)
    return command is not None and bool(command.addressee)


def mentions_of(written: Written, bot_id: int, username: str) -> Iterator[Entity]:
    """Yield the mentions of the bot: those that Telegram has marked, and unmarked ones in text without a meaning."""
    named = f"@{username}".casefold()
    known = [entity for entity in written.entities if not entity.is_style]
    at = 0
    for entity in known:
        yield from _unmarked(written.text, at, entity.start, username)
        is_named = entity.kind == "mention" and written.covered(entity).casefold() == named
        if is_named or (entity.kind == "text_mention" and entity.user_id == bot_id):
            yield entity
        at = max(at, entity.end)
    yield from _unmarked(written.text, at, len(written.text), username)


def _unmarked(text: str, start: int, end: int, username: str) -> Iterator[Entity]:
    for found in _name(username).finditer(text, start, max(start, end)):
        yield Entity("mention", found.start(), found.end())


def named_in(text: str, username: str) -> Iterator[re.Match[str]]:
    """Yield the places of a plain text that name the bot as a mention does."""
    return _name(username).finditer(text)


@cache
def _name(username: str) -> re.Pattern[str]:
    # Usernames consist of Latin letters, digits and underscores: neither @bot_two nor me@bot mentions @bot. After a
    # slash, = or & it is a part of an address.
    return re.compile(rf"(?<![\w/=&])@{re.escape(username)}(?![\w@])", re.IGNORECASE | re.ASCII)
