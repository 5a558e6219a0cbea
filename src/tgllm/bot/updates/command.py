"""Reads a message as a command."""

import re
from dataclasses import dataclass

__all__ = ["ParsedCommand", "parse_command"]

# What Telegram shows as a command (Bot API: BotCommand): a path such as /etc/hosts is none, nor is a Cyrillic word.
_COMMAND = re.compile(r"/([A-Za-z0-9_]{1,32})(?:@([A-Za-z0-9_]+))?(?:\s+(.*))?", re.DOTALL)


@dataclass(frozen=True, slots=True)
class ParsedCommand:
    """A message that is a command."""

    name: str
    """In lower case, without slash and bot name."""
    args: str
    message_ids: tuple[int, ...] = ()
    """Of the message itself, where that is known."""
    reply_to: int | None = None
    """The message that it replies to."""
    reply_text: str = ""
    """What that says, or the part of it that was quoted."""


def parse_command(text: str, username: str) -> ParsedCommand | None:
    """Read ``/name args`` or ``/name@bot args``; None for other text and for commands to another bot."""
    found = _COMMAND.fullmatch(text)
    if found is None:
        return None
    name, addressee, args = found.groups(default="")
    if addressee and addressee.lower() != username.lower():
        return None
    return ParsedCommand(name.lower(), args.strip())
