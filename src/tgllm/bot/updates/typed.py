"""What the sender of a stored message has typed, as a possible password."""

from collections.abc import Mapping
from typing import Any

from tgllm.bot.updates.command import parse_command
from tgllm.bot.updates.mentions import mention_of
from tgllm.bot.updates.raw import is_raw_own
from tgllm.bot.updates.values import as_mapping
from tgllm.services.admin_password.guesses import Guess, typed_texts

__all__ = ["guess_of"]


def guess_of(content: Mapping[str, Any], username: str) -> Guess | None:
    """Return what the sender of a message has typed; None if nothing.

    Args:
        content: the message, with a rich message as text.
        username: the bot's own, without the @.
    """
    if not any(text.strip() for text in typed_texts(content)):
        return None
    text = str(content.get("text") or content.get("caption") or "")
    others = [each for each in typed_texts(content, with_names=False) if each != text and each.strip()]
    is_private = as_mapping(content.get("chat")).get("type") == "private"
    command = parse_command(text, username) if is_raw_own(content) else None
    if command is not None:
        # No command of the bot has capital letters or digits, but a password behind a slash may.
        name = text[1:].split(maxsplit=1)[0].partition("@")[0]
        is_other = any(sign.isupper() or sign.isdigit() for sign in name)
        return Guess(command.args, command.name, is_addressed=True, others=[name, *others] if is_other else others)
    mention = mention_of(username)
    author = as_mapping(as_mapping(content.get("reply_to_message")).get("from")).get("username")
    replies = isinstance(author, str) and author.casefold() == username.casefold()
    said = mention.sub(" ", text).strip(" ,:") if mention.search(text) else text
    return Guess(said, "", is_addressed=is_private or replies or said != text, others=others)
