"""What the sender of a stored message has typed, as a possible password."""

from collections.abc import Mapping
from typing import Any

from tgllm.bot.updates.command import parse_command
from tgllm.bot.updates.mentions import mention_of
from tgllm.bot.updates.raw import as_mapping, is_raw_own
from tgllm.services.admin_password.guesses import Guess, typed_texts

__all__ = ["guess_of"]


def guess_of(content: Mapping[str, Any], username: str) -> Guess | None:
    """Return what the sender of a message has typed; None if nothing.

    Args:
        content: the message, with a rich message as text.
        username: the bot's own, without the @.
    """
    texts = [text for text in typed_texts(content) if text.strip()]
    if not texts:
        return None
    text = str(content.get("text") or content.get("caption") or "")
    others = [each for each in texts if each != text]
    is_private = as_mapping(content.get("chat")).get("type") == "private"
    command = parse_command(text, username) if is_raw_own(content) else None
    if command is not None:
        return Guess(command.args, command.name, is_addressed=True, others=others)
    mention = mention_of(username)
    author = as_mapping(as_mapping(content.get("reply_to_message")).get("from")).get("username")
    replies = isinstance(author, str) and author.casefold() == username.casefold()
    said = mention.sub(" ", text).strip(" ,:") if mention.search(text) else text
    return Guess(said, "", is_addressed=is_private or replies or said != text, others=others)
