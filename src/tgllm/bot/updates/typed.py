"""What the sender of a stored message has typed, as a possible password."""

from collections.abc import Mapping, Sequence
from typing import Any

from tgllm.bot.updates.command import parse_command
from tgllm.bot.updates.formats.written import written_in
from tgllm.bot.updates.mentions import mentions_of, named_in
from tgllm.bot.updates.raw import is_raw_own
from tgllm.bot.updates.values import as_mapping
from tgllm.services.admin_password.guesses import Guess, typed_texts

__all__ = ["guess_of"]


def guess_of(content: Mapping[str, Any], bot_id: int, username: str) -> Guess | None:
    """Return what the sender of a message has typed; None if nothing.

    Args:
        content: the message, with a rich message as text.
        bot_id: the bot's own id.
        username: the bot's own, without the @.
    """
    if not any(text.strip() for text in typed_texts(content)):
        return None
    written = written_in(content)
    text = written.text
    others = [each for each in typed_texts(content, with_names=False) if each != text and each.strip()]
    is_private = as_mapping(content.get("chat")).get("type") == "private"
    command = parse_command(written, username) if is_raw_own(content) else None
    if command is not None:
        # No command of the bot has capital letters or digits, but a password behind a slash may.
        name = text[1:].split(maxsplit=1)[0].partition("@")[0]
        is_other = any(sign.isupper() or sign.isdigit() for sign in name)
        return Guess(command.args, command.name, is_addressed=True, others=[name, *others] if is_other else others)
    author = as_mapping(as_mapping(content.get("reply_to_message")).get("from")).get("username")
    replies = isinstance(author, str) and author.casefold() == username.casefold()
    mentions = [(entity.start, entity.end) for entity in mentions_of(written, bot_id, username)]
    said = _without(text, mentions) if mentions else text
    if named := [found.span() for found in named_in(text, username)]:
        # A password is checked also where the name before it is no mention, such as in code.
        others.append(_without(text, named))
    return Guess(said, "", is_addressed=is_private or replies or bool(mentions), others=others)


def _without(text: str, ranges: Sequence[tuple[int, int]]) -> str:
    starts, ends = [0, *(end for _, end in ranges)], [*(start for start, _ in ranges), len(text)]
    return " ".join(text[start:end] for start, end in zip(starts, ends, strict=True)).strip(" ,:")
