"""Parser of commands."""

import re
from dataclasses import dataclass

__all__ = ["ParsedCommand", "parse_command"]

# The form of a command (Bot API: BotCommand): neither a path such as /etc/hosts nor a Cyrillic word is a command.
_COMMAND = re.compile(r"/([A-Za-z0-9_]{1,32})(?:@([A-Za-z0-9_]+))?(?:\s+(.*))?", re.DOTALL)


@dataclass(frozen=True, slots=True)
class ParsedCommand:
    """A message that is a command."""

    name: str
    """In lower case, without slash and bot name."""
    args: str
    message_ids: tuple[int, ...] = ()
    """Id of the message itself, if known."""
    reply_to: int | None = None
    """Id of the message that it replies to."""
    reply_text: str = ""
    """Text of that message, or the quoted part of it."""


def parse_command(text: str, username: str) -> ParsedCommand | None:
    """Parse ``/name args`` or ``/name@bot args``; return None for other text and for commands to another bot."""
    found = _COMMAND.fullmatch(text)
    if found is None:
        return None
    name, addressee, args = found.groups(default="")
    if addressee and addressee.lower() != username.lower():
        return None
    return ParsedCommand(name.lower(), args.strip())
