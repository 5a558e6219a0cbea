"""Parser of commands."""

import re
from dataclasses import dataclass, field

from tgllm.bot.updates.formats.markdown import markdown_of
from tgllm.bot.updates.formats.written import Written
from tgllm.services.files.attachment import Attachment

__all__ = ["NamedCommand", "ParsedCommand", "named_command", "parse_command"]

# The form of a command (Bot API: BotCommand): neither a path such as /etc/hosts nor a Cyrillic word is a command.
_COMMAND = re.compile(r"/([A-Za-z0-9_]{1,32})(?:@([A-Za-z0-9_]+))?(?=\s|$)")
_MARKED = re.compile(r"/([A-Za-z0-9_]{1,32})(?:@([A-Za-z0-9_]+))?(?=[,.:;!?…]*(?:\s|$))")
"""The same where Telegram has marked the command: "/stop!" is one, "/model-x" is not."""
_PUNCTUATION = ",.:;!?…"


@dataclass(frozen=True, slots=True)
class NamedCommand:
    """A command to any bot."""

    name: str
    """In lower case, without slash and bot name."""
    addressee: str
    """Name of the bot, as typed; empty if there is none."""
    written: Written
    """The arguments."""


@dataclass(frozen=True, slots=True)
class ParsedCommand:
    """A message that is a command to this bot."""

    name: str
    """In lower case, without slash and bot name."""
    args: str
    """The arguments as plain text."""
    message_ids: tuple[int, ...] = ()
    """Id of the message itself, if known."""
    reply_to: int | None = None
    """Id of the message that it replies to."""
    reply_text: str = ""
    """Text of that message as Markdown, or the quoted part of it."""
    written: Written = field(default_factory=Written, compare=False)
    """The arguments with their entities."""
    attachments: tuple[Attachment, ...] = ()
    """Files of the message, if the command is their caption."""

    @property
    def markdown(self) -> str:
        """The arguments as Markdown, for a model."""
        return markdown_of(self.written)


def named_command(text: str | Written) -> NamedCommand | None:
    """Return the command with which a text begins, to any bot; None for any other text.

    A command is what Telegram has marked as one. An unmarked word of that form is a command as well, since not every
    server marks it, unless an entity such as code says what it is.
    """
    written = Written(text) if isinstance(text, str) else text
    first = [entity for entity in written.entities if entity.start == 0]
    marked = next((entity for entity in first if entity.kind == "bot_command"), None)
    others = [entity for entity in first if entity is not marked and not entity.is_style]
    # A kind that this version does not know may be a format: it changes nothing where Telegram has marked a command.
    if any(marked is None or entity.is_known for entity in others):
        return None
    found = (_COMMAND if marked is None else _MARKED).match(written.text)
    if found is None or (marked is not None and marked.end != found.end()):
        return None
    rest = written.part(found.end())
    if marked is not None:
        rest = rest.part(len(rest.text) - len(rest.text.lstrip(_PUNCTUATION)))
    return NamedCommand(found[1].lower(), found[2] or "", rest.stripped())


def parse_command(text: str | Written, username: str) -> ParsedCommand | None:
    """Parse ``/name args`` or ``/name@bot args``; return None for other text and for commands to another bot."""
    command = named_command(text)
    if command is None or command.addressee.lower() not in {"", username.lower()}:
        return None
    return ParsedCommand(command.name, command.written.text, written=command.written)
