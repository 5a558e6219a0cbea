"""Decides whether a message in a group is for the bot, and extracts its question."""

from collections.abc import Sequence

from aiogram.types import Message, MessageEntity, TextQuote

from tgllm.bot.scope import UpdateScope
from tgllm.bot.updates.address import without_mentions
from tgllm.bot.updates.command import ParsedCommand, parse_command
from tgllm.bot.updates.contents import SPEAKING_FILES
from tgllm.bot.updates.formats.written import Written, read_written
from tgllm.bot.updates.mentions import is_text_heard, speaks_by_file, speaks_to_bot
from tgllm.services.chats.group_mode import GroupMode

__all__ = ["command_in", "is_addressed", "is_heard", "is_own", "question_of", "words_in", "written_by"]


def command_in(message: Message, username: str) -> ParsedCommand | None:
    """Return the command in a text or caption; None for any other message, and for text that the sender did not write.

    The sender of a forwarded message, or of one made by another bot (Bot API: Message, via_bot), may not know what the
    command would do here.
    """
    return parse_command(written_by(message), username) if is_own(message) else None


def is_addressed(message: Message, scope: UpdateScope) -> bool:
    """Return whether a message is for the bot: in a group, a command, a mention or a reply to it."""
    if scope.chat.is_private:
        return True
    replied = message.reply_to_message
    author = None if replied is None or replied.from_user is None else replied.from_user.id
    written, parts = written_by(message), scope.parts
    return speaks_to_bot(parts.bot_id, parts.username, written, author, is_own=is_own(message))


def is_heard(message: Message, scope: UpdateScope, mode: GroupMode) -> bool:
    """Return whether the bot answers a message, in a group of that mode."""
    if scope.chat.is_private:
        return True
    is_spoken_to = is_addressed(message, scope)
    written, username = written_by(message), scope.parts.username
    present = (name for name in ("animation", *SPEAKING_FILES) if getattr(message, name) is not None)
    return is_text_heard(
        written,
        username,
        mode,
        is_spoken_to=is_spoken_to,
        is_own=is_own(message),
        says_something=bool(written.text.strip()) or speaks_by_file(present),
    )


def question_of(message: Message, scope: UpdateScope) -> Written:
    """Return the text or caption without the mention of the bot."""
    return words_in(written_by(message), scope.parts.bot_id, scope.parts.username, is_private=scope.chat.is_private)


def words_in(written: Written, bot_id: int, username: str, *, is_private: bool) -> Written:
    """Return a text without the mention of the bot, whose username is without the @; in a private chat, all of it."""
    return written.stripped() if is_private else without_mentions(written, bot_id, username)


def written_by(message: Message | TextQuote) -> Written:
    """Return the text or caption of a message, or a quoted part of one, with its entities."""
    if message.text or isinstance(message, TextQuote):
        return read_written(message.text or "", _raw(message.entities))
    return read_written(message.caption or "", _raw(message.caption_entities))


def _raw(entities: Sequence[MessageEntity] | None) -> list[dict[str, object]]:
    return [entity.model_dump() for entity in entities or ()]


def is_own(message: Message) -> bool:
    """Return whether the sender wrote a message: commands in other ones are none."""
    # Servers of an earlier Bot API than 7.0 mark forwarded messages by forward_date.
    return message.forward_origin is None and message.forward_date is None and message.via_bot is None
