"""Files inside requests."""

import base64
from collections.abc import Iterable, Iterator
from dataclasses import replace

from tgllm.api.errors import Unsupported
from tgllm.api.events import FileDelta
from tgllm.api.types import ChatMessage, FilePart, TextPart, ToolCallPart

__all__ = [
    "IMAGE_TYPES",
    "check_size",
    "content_of",
    "data_url",
    "file_of",
    "has_files",
    "moved_to_questions",
    "unsupported",
]

IMAGE_TYPES = frozenset({"image/gif", "image/jpeg", "image/png", "image/webp"})
"""Image types that most vision models accept."""


def content_of(part: FilePart) -> bytes:
    """Return the content of the file. Call it off the event loop, since it reads the file.

    Raises:
        Unsupported: the file no longer exists.
    """
    try:
        return part.path.read_bytes()
    except OSError:
        raise Unsupported("a file of the conversation no longer exists") from None


def data_url(part: FilePart) -> str:
    """Return the file as a ``data:`` URL (RFC 2397). Call it off the event loop, since it reads the file.

    Raises:
        Unsupported: the file no longer exists.
    """
    return f"data:{part.mime_type};base64,{base64.b64encode(content_of(part)).decode()}"


def file_of(url: str) -> FileDelta | None:
    """Return the file in a ``data:`` URL in base64 (RFC 2397) as an event; None for any other URL, or a broken one."""
    head, comma, data = url.partition(",")
    kind, _, coding = head.removeprefix("data:").rpartition(";")
    if not head.startswith("data:") or not comma or coding.strip().lower() != "base64":
        return None
    try:
        content = base64.b64decode(data, validate=True)
    except ValueError:
        return None
    return FileDelta(content, kind or "text/plain") if content else None


def has_files(message: ChatMessage) -> bool:
    """Whether a message has files; most have one part, a text."""
    for part in message.parts:  # noqa: SIM110  a generator costs three times as much, for each message of each request
        if isinstance(part, FilePart):
            return True
    return False


def moved_to_questions(messages: Iterable[ChatMessage]) -> Iterator[ChatMessage]:
    """Yield the messages with the files of answers in the question after them.

    For services that take files only from the user; the model still sees a picture that it is asked to change.
    """
    waiting: tuple[FilePart, ...] = ()
    for message in messages:
        if message.role == "assistant":
            if not has_files(message):
                yield message
                continue
            waiting += tuple(part for part in message.parts if isinstance(part, FilePart))
            yield _without_files(message)
        else:
            yield replace(message, parts=(*waiting, *message.parts)) if waiting else message
            waiting = ()


def _without_files(message: ChatMessage) -> ChatMessage:
    rest = tuple(part for part in message.parts if not isinstance(part, FilePart))
    if message.text or any(isinstance(part, ToolCallPart) for part in rest):
        return replace(message, parts=rest)
    # Some services refuse an empty message.
    names = [part.name or part.mime_type for part in message.parts if isinstance(part, FilePart)]
    return replace(message, parts=(TextPart(" ".join(f"[{name}]" for name in names)),))


def check_size(part: FilePart, most: int) -> None:
    """Refuse a file of more than ``most`` bytes.

    Raises:
        Unsupported: the file is larger.
    """
    if part.size > most:
        raise Unsupported(
            f"a file of {part.size} bytes is too large: at most {most} are allowed", mime_type=part.mime_type
        )


def unsupported(part: FilePart, model: str) -> Unsupported:
    """Return the error for a MIME type that a model does not accept."""
    return Unsupported(f"{model} does not accept files of type {part.mime_type}", mime_type=part.mime_type)
