"""Files inside requests."""

import base64

from tgllm.api.errors import Unsupported
from tgllm.api.types import FilePart

__all__ = ["IMAGE_TYPES", "check_size", "data_url", "unsupported"]

IMAGE_TYPES = frozenset({"image/gif", "image/jpeg", "image/png", "image/webp"})
"""Image types that most vision models accept."""


def data_url(part: FilePart) -> str:
    """Return the file as a ``data:`` URL (RFC 2397). Call it off the event loop, since it reads the file.

    Raises:
        Unsupported: the file no longer exists.
    """
    try:
        content = part.path.read_bytes()
    except OSError:
        raise Unsupported("a file of the conversation no longer exists") from None
    return f"data:{part.mime_type};base64,{base64.b64encode(content).decode()}"


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
