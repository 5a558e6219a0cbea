"""Contents of messages besides words, as text: polls, contacts, places, and what kind of file was sent."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from aiogram.types import Audio, Checklist, Contact, ExternalReplyInfo, Location, Message, Poll, Venue

from tgllm.bot.scope import Scope
from tgllm.services.files.attachment import Attachment
from tgllm.services.files.names import quoted_name

__all__ = ["content_beside", "content_remark", "readable"]


@dataclass(frozen=True, slots=True)
class _Kind:
    """A kind of content. Bot API: Message and ExternalReplyInfo."""

    key: str
    """Of the text that names it."""
    field: str
    words: Callable[[Any], str] = lambda _: ""
    """Returns what can be read of it."""


def readable(message: Message | ExternalReplyInfo, scope: Scope) -> str:
    """Return the content of a message that has neither text nor caption; empty if there is nothing to read."""
    for kind in _KINDS:
        content = getattr(message, kind.field, None)
        if content is not None:
            return scope.text(kind.key, text=kind.words(content)).strip()
    return ""


def content_beside(message: Message, scope: Scope, files: Sequence[Attachment], *, has_words: bool) -> str:
    """Return what a message has besides words that the model would not know otherwise.

    Empty for files with a caption, which the model reads or sees, and for content that can't be answered, such as dice.

    Args:
        message: from the chat; of an album, any item.
        scope: its update.
        files: all files of the message or the album.
        has_words: whether there are words besides.
    """
    if has_words and files:
        return ""
    if len(files) > 1:
        return scope.text("prompt.files", count=len(files))
    is_question = any(getattr(message, field, None) is not None for field in _QUESTIONS)
    return readable(message, scope) if files or has_words or is_question else ""


def content_remark(content: str, scope: Scope, files: Sequence[Attachment], *, has_words: bool) -> str:
    """Return such a content as a remark; files without words that are no speech come with what to do about them."""
    is_unexplained = not has_words and any(each.kind not in _SPEECH for each in files)
    return content and f"[{scope.text('prompt.file_alone', content=content) if is_unexplained else content}]"


def _poll(poll: Poll) -> str:
    return "\n".join([poll.question, *(f"- {option.text}" for option in poll.options)])


def _checklist(checklist: Checklist) -> str:
    tasks = (f"- [{'x' if task.completion_date else ' '}] {task.text}" for task in checklist.tasks)
    return "\n".join([checklist.title, *tasks])


def _contact(contact: Contact) -> str:
    name = " ".join(part for part in (contact.first_name, contact.last_name) if part)
    return ", ".join(part for part in (name, contact.phone_number) if part)


def _venue(venue: Venue) -> str:
    return f"{venue.title}, {venue.address} ({_location(venue.location)})"


def _location(location: Location) -> str:
    return f"{location.latitude}, {location.longitude}"


def _audio(audio: Audio) -> str:
    return " - ".join(quoted_name(name) for name in (audio.performer, audio.title or audio.file_name) if name)


_SPEECH = frozenset({"voice", "video_note", "sticker"})
"""Kinds of files that are a message by themselves."""
_QUESTIONS = ("poll", "checklist", "contact", "venue", "location", "sticker")
"""Fields of contents that can be answered without words."""

# A venue is a location, an animation is a document, and a live photo is a photo, too.
_KINDS = (
    _Kind("prompt.kind_poll", "poll", _poll),
    _Kind("prompt.kind_checklist", "checklist", _checklist),
    _Kind("prompt.kind_contact", "contact", _contact),
    _Kind("prompt.kind_venue", "venue", _venue),
    _Kind("prompt.kind_location", "location", _location),
    _Kind("prompt.kind_dice", "dice", lambda dice: f"{dice.emoji} {dice.value}"),
    _Kind("prompt.kind_named", "game", lambda game: str(game.title)),
    _Kind("prompt.kind_named", "invoice", lambda invoice: str(invoice.title)),
    _Kind("prompt.kind_sticker", "sticker", lambda sticker: sticker.emoji or ""),
    _Kind("prompt.kind_audio", "audio", _audio),
    _Kind("prompt.kind_animation", "animation"),
    _Kind("prompt.kind_video", "video"),
    _Kind("prompt.kind_video_note", "video_note"),
    _Kind("prompt.kind_voice", "voice"),
    _Kind("prompt.kind_story", "story"),
    _Kind("prompt.kind_picture", "live_photo"),
    _Kind("prompt.kind_picture", "photo"),
    _Kind("prompt.kind_paid_media", "paid_media"),
    _Kind("prompt.kind_document", "document", lambda document: quoted_name(document.file_name)),
)
