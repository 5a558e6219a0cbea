"""Quotes of replied messages: as much of them as the model's context has room for, the chosen part first.

Files of a replied message belong to the question, unless the model sees them anyway.
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

from aiogram.types import ExternalReplyInfo, Message, MessageOriginUser

from tgllm.bot.scope import Scope
from tgllm.bot.turns.attachments import attachments_in
from tgllm.bot.turns.authors import author_of, own_name
from tgllm.bot.turns.prompt import QuotedPart, quoted_part, replied_message, replied_whole
from tgllm.bot.turns.readable import readable
from tgllm.bot.updates.formats.markdown import markdown_of
from tgllm.bot.updates.formats.written import Written
from tgllm.bot.updates.raw import content_of
from tgllm.bot.updates.values import as_mapping
from tgllm.db.engine.unit import Connection
from tgllm.db.tables import files, messages
from tgllm.services.common.text import clip
from tgllm.services.conversations.request import RoomForQuotes
from tgllm.services.conversations.turn import Branch, Turn
from tgllm.services.files.attachment import Attachment

__all__ = ["MOST_POINTER", "Quoted", "quotes_of"]

MOST_POINTER = 300
"""Most UTF-16 units of a quote of what the model reads anyway; longer quotes keep their lines."""

Fits = Callable[[str], bool]
Remark = Callable[[str], str]


@dataclass(frozen=True, slots=True)
class Quoted:
    """What a question quotes."""

    remarks: Sequence[str] = ()
    """Remarks on the replied message."""
    attachments: tuple[Attachment, ...] = ()
    """Its files, unless they are in the context of the question."""


@dataclass(frozen=True, slots=True)
class _Reply:
    """What a message replies to."""

    message_id: int | None
    """None for a message of another chat."""
    author: str
    is_own: bool
    """Whether the bot wrote it."""
    part: QuotedPart | None
    """The part that the sender chose; None if none was chosen."""
    whole: Written
    is_elsewhere: bool = False
    """Whether it is a message of another chat."""
    attachments: tuple[Attachment, ...] = ()


async def quotes_of(message: Message, scope: Scope, question: str, branch: Branch | None = None) -> Quoted:
    """Return what a question quotes of the message to which it replies; nothing if it replies to none.

    Args:
        message: from the chat.
        scope: its update.
        question: what the model reads besides the remarks.
        branch: the place in the conversation where it is asked; None: the end.
    """
    reply = _reply_of(message, scope)
    if reply is None:
        return Quoted()
    conversations = scope.core.conversations
    turn = Turn(id="", lane=scope.lane.key, user=scope.user, chat=scope.chat, text="", branch=branch)
    context, is_stored = await scope.read(
        lambda conn: (conversations.load(conn, turn), _has_files(conn, scope.lane.chat_id, reply.message_id))
    )
    room = conversations.room_for_quotes(context, question)
    remarks = [remark for remark in _remarks(reply, scope, question, room) if remark]
    is_seen = is_stored and reply.message_id in room.shown
    return Quoted(remarks, () if is_seen else reply.attachments)


def _has_files(conn: Connection, chat_id: int, message_id: int | None) -> bool:
    """Return whether files are stored with the question or answer that a Telegram message shows."""
    shown = None if message_id is None else messages.find_by_telegram(conn, chat_id, message_id)
    return shown is not None and bool(files.of_message(conn, shown.id))


def _reply_of(message: Message, scope: Scope) -> _Reply | None:
    """Return what a message replies to; None if that is nothing, or nothing that all people of the chat can see."""
    replied, elsewhere = replied_message(message), message.external_reply
    if replied is None:
        part = quoted_part(message, Written())
        if elsewhere is not None:
            return _of_elsewhere(elsewhere, part, message.chat.id, scope)
        return _Reply(None, "", is_own=False, part=part, whole=Written()) if part is not None else None
    whole = replied_whole(replied)
    part = quoted_part(message, whole)
    is_chosen = message.quote is not None and (message.quote.is_manual or not whole.text)
    return _Reply(
        replied.message_id,
        author_of(replied, scope),
        is_own=replied.from_user is not None and replied.from_user.id == scope.parts.bot_id,
        part=part if is_chosen else None,
        whole=whole if whole.text.strip() else Written(readable(replied, scope)),
        attachments=_files_of(scope, "reply_to_message"),
    )


def _files_of(scope: Scope, field: str, *, is_elsewhere: bool = False) -> tuple[Attachment, ...]:
    raw = as_mapping(content_of(scope.row).get(field))
    return attachments_in(raw, scope.parts.downloads.most_bytes, is_elsewhere=is_elsewhere)


def _of_elsewhere(replied: ExternalReplyInfo, part: QuotedPart | None, chat_id: int, scope: Scope) -> _Reply:
    """Return a replied message of another chat, or of another topic of this one."""
    origin = replied.origin
    return _Reply(
        None,
        own_name(origin) or scope.text("prompt.hidden_name"),
        is_own=isinstance(origin, MessageOriginUser) and origin.sender_user.id == scope.parts.bot_id,
        part=part,
        whole=Written(readable(replied, scope)),
        is_elsewhere=replied.chat is None or replied.chat.id != chat_id,
        attachments=_files_of(scope, "external_reply", is_elsewhere=True),
    )


def _remarks(reply: _Reply, scope: Scope, question: str, room: RoomForQuotes) -> Iterator[str]:
    is_known = reply.message_id in room.shown
    if reply.is_elsewhere and reply.part is None and not reply.whole.text:
        yield scope.text("prompt.replying_unseen", name=reply.author)
    elif reply.part is not None:
        chosen = _cut(reply.part.written, lambda text: _replying(reply, scope, text), _within(room, question))
        yield chosen
        if not is_known and reply.whole.text.split() != reply.part.written.text.split():
            within = _within(room, f"{chosen}\n{question}")
            yield _around(reply.whole, reply.part, lambda text: scope.text("prompt.quoted_from", text=text), within)
    elif reply.whole.text and not is_known:
        yield _cut(reply.whole, lambda text: _replying(reply, scope, text), _within(room, question))
    elif reply.whole.text and room.latest != (reply.message_id,):
        yield _replying(reply, scope, clip(" ".join(markdown_of(reply.whole).split()), MOST_POINTER))


def _within(room: RoomForQuotes, others: str) -> Fits:
    """Return whether a remark fits into the question beside other texts."""
    return lambda remark: room.fits(f"{remark}\n{others}")


def _replying(reply: _Reply, scope: Scope, text: str) -> str:
    if reply.is_own:
        return scope.text("prompt.replying_to_you", text=text)
    if reply.is_elsewhere:
        return scope.text("prompt.replying_elsewhere", name=reply.author, text=text)
    return scope.text("prompt.replying" if reply.author else "prompt.quoting", name=reply.author, text=text)


def _laid_out(text: str) -> str:
    """Return a quote on one line if it is short and has no code, else with its lines."""
    is_short = clip(text, MOST_POINTER) == text and "```" not in text
    return " ".join(text.split()) if is_short else text.strip()


def _cut(written: Written, remark: Remark, fits: Fits) -> str:
    """Return the remark with the longest beginning of a text that fits; empty if none does."""
    whole = remark(_laid_out(markdown_of(written)))
    if fits(whole):
        return whole

    def piece(size: int) -> str:
        return remark(_with_dots(_laid_out(markdown_of(written.part(0, size))), after=True))

    size = _largest(len(written.text), lambda size: fits(piece(size)))
    return piece(size) if size else ""


def _around(whole: Written, part: QuotedPart, remark: Remark, fits: Fits) -> str:
    """Return the remark with as much of the whole as fits, the part in its middle; empty if nothing more fits."""
    everything = remark(markdown_of(whole))
    if not whole.text or fits(everything):
        return everything if whole.text else ""
    start = part.start or 0
    end = start if part.start is None else start + len(part.written.text)

    def piece(size: int) -> str:
        first, last = max(0, start - size), min(len(whole.text), end + size)
        text = markdown_of(whole.part(first, last))
        return remark(_with_dots(text, before=first > 0, after=last < len(whole.text)))

    size = _largest(max(start, len(whole.text) - end), lambda size: fits(piece(size)))
    return piece(size) if size else ""


def _with_dots(markdown: str, *, before: bool = False, after: bool = False) -> str:
    """Return a piece of a text with the signs that say where it is cut, apart from fences of code."""
    first = ("…\n" if markdown.startswith("```") else "…") if before else ""
    last = ("\n…" if markdown.endswith("```") else "…") if after else ""
    return f"{first}{markdown}{last}"


def _largest(most: int, fits: Callable[[int], bool]) -> int:
    """Return the largest number up to ``most`` that fits, if all smaller ones do; 0 if none does."""
    low, high = 0, most
    while low < high:
        middle = (low + high + 1) // 2
        if fits(middle):
            low = middle
        else:
            high = middle - 1
    return low
