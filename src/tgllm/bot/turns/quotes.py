"""Quotes of replied messages: as much of them as the model's context has room for, the chosen part first."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

from aiogram.types import ExternalReplyInfo, Message, MessageOriginUser

from tgllm.bot.scope import Scope
from tgllm.bot.turns.authors import author_of, own_name
from tgllm.bot.turns.prompt import quoted_part, replied_message, replied_whole
from tgllm.bot.turns.readable import readable
from tgllm.services.common.text import clip
from tgllm.services.conversations.request import RoomForQuotes
from tgllm.services.conversations.turn import Branch, Turn

__all__ = ["MOST_POINTER", "quotes_of"]

MOST_POINTER = 300
"""Most UTF-16 units of a quote of what the model reads anyway; longer quotes keep their lines."""

Fits = Callable[[str], bool]
Remark = Callable[[str], str]


@dataclass(frozen=True, slots=True)
class _Reply:
    """What a message replies to."""

    message_id: int | None
    """None for a message of another chat."""
    author: str
    is_own: bool
    """Whether the bot wrote it."""
    part: str
    """The part that the sender chose; empty if none was chosen."""
    position: int
    """Where the part begins in the whole, in UTF-16 units."""
    whole: str
    is_elsewhere: bool = False
    """Whether it is a message of another chat."""


async def quotes_of(message: Message, scope: Scope, question: str, branch: Branch | None = None) -> Sequence[str]:
    """Return the remarks on the message to which a message replies; empty if it replies to none.

    Args:
        message: from the chat.
        scope: its update.
        question: what the model reads besides the remarks.
        branch: the place in the conversation where it is asked; None: the end.
    """
    reply = _reply_of(message, scope)
    if reply is None:
        return ()
    conversations = scope.core.conversations
    turn = Turn(id="", lane=scope.lane.key, user=scope.user, chat=scope.chat, text="", branch=branch)
    context = await scope.read(lambda conn: conversations.load(conn, turn))
    room = conversations.room_for_quotes(context, question)
    return [remark for remark in _remarks(reply, scope, question, room) if remark]


def _reply_of(message: Message, scope: Scope) -> _Reply | None:
    """Return what a message replies to; None if that is nothing, or nothing that all people of the chat can see."""
    replied, part = replied_message(message), quoted_part(message)
    elsewhere = message.external_reply
    if replied is None and elsewhere is not None:
        return _of_elsewhere(elsewhere, part, message.chat.id, scope)
    if replied is None:
        return _Reply(None, "", is_own=False, part=part, position=0, whole="") if part else None
    is_own = replied.from_user is not None and replied.from_user.id == scope.parts.bot_id
    whole = replied_whole(replied) or readable(replied, scope)
    is_chosen = message.quote is not None and (message.quote.is_manual or not whole)
    return _Reply(
        replied.message_id,
        author_of(replied, scope),
        is_own=is_own,
        part=part if is_chosen else "",
        position=message.quote.position if message.quote is not None else 0,
        whole=whole,
    )


def _of_elsewhere(replied: ExternalReplyInfo, part: str, chat_id: int, scope: Scope) -> _Reply:
    """Return a replied message of another chat, or of another topic of this one."""
    origin = replied.origin
    return _Reply(
        None,
        own_name(origin) or scope.text("prompt.hidden_name"),
        is_own=isinstance(origin, MessageOriginUser) and origin.sender_user.id == scope.parts.bot_id,
        part=part,
        position=0,
        whole=readable(replied, scope),
        is_elsewhere=replied.chat is None or replied.chat.id != chat_id,
    )


def _remarks(reply: _Reply, scope: Scope, question: str, room: RoomForQuotes) -> Iterator[str]:
    is_known = reply.message_id in room.shown
    if reply.is_elsewhere and not (reply.part or reply.whole):
        yield scope.text("prompt.replying_unseen", name=reply.author)
    elif reply.part:
        chosen = _cut(_laid_out(reply.part), lambda text: _replying(reply, scope, text), _within(room, question))
        yield chosen
        if not is_known and " ".join(reply.whole.split()) != " ".join(reply.part.split()):
            within = _within(room, f"{chosen}\n{question}")
            yield _around(reply, lambda text: scope.text("prompt.quoted_from", text=text), within)
    elif reply.whole and not is_known:
        yield _cut(_laid_out(reply.whole), lambda text: _replying(reply, scope, text), _within(room, question))
    elif reply.whole and room.latest != (reply.message_id,):
        yield _replying(reply, scope, clip(" ".join(reply.whole.split()), MOST_POINTER))


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


def _cut(text: str, remark: Remark, fits: Fits) -> str:
    """Return the remark with the longest beginning of a text that fits; empty if none does."""
    if fits(remark(text)):
        return remark(text)
    size = _largest(len(text), lambda size: fits(remark(text[:size] + "…")))
    return remark(text[:size].rstrip() + "…") if size else ""


def _around(reply: _Reply, remark: Remark, fits: Fits) -> str:
    """Return the remark with as much of the whole as fits, the part in its middle; empty if nothing more fits."""
    text = reply.whole
    if not text or fits(remark(text.strip())):
        return remark(text.strip()) if text else ""
    start = len(text.encode("utf-16-le", "surrogatepass")[: 2 * reply.position].decode("utf-16-le", "ignore"))
    if not text.startswith(reply.part, start):
        start = _place_of(reply.part, text, start)
    end = min(len(text), start + len(reply.part))

    def piece(size: int) -> str:
        dots = ("…" if start > size else "", "…" if end + size < len(text) else "")
        return f"{dots[0]}{text[max(0, start - size) : end + size]}{dots[1]}"

    size = _largest(max(start, len(text) - end), lambda size: fits(remark(piece(size))))
    return remark(piece(size)) if size else ""


def _place_of(part: str, text: str, start: int) -> int:
    """Return where a part begins in a text, of which ``start`` counts no marks of formats before it."""
    after = text.find(part, start)
    found = text.find(part) if after < 0 else after
    # A part that begins or ends within a format has other marks than the whole.
    return min(start, max(0, len(text) - len(part))) if found < 0 else found


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
