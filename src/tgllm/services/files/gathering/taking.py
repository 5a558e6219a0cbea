"""How a model gets a file: as it is, as a picture, as a transcript, or as text."""

import math
from collections.abc import Collection, Iterable
from pathlib import Path
from typing import Literal

from tgllm.api import FilePart
from tgllm.db.tables.files import File
from tgllm.providers.tokens import CHARS_PER_TOKEN, estimate_file
from tgllm.services.files.gathering.materials import AttachedFiles
from tgllm.services.files.transcription import is_recording

__all__ = ["Way", "likely_tokens", "sees", "way_of"]

Way = Literal["native", "picture", "speech", "text"]

_DRAWINGS = frozenset({"image/svg+xml"})
"""Pictures in text form, which no model takes as a picture."""
_SEEN = frozenset({"image/jpeg", "image/png", "image/webp"})


def way_of(file: File, taken: Collection[str]) -> Way:
    """Return how a model gets a file.

    Args:
        file: the file.
        taken: MIME types that the model takes, such as ``image/*``.
    """
    if file.mime.startswith("image/") and file.mime not in _DRAWINGS:
        return "picture" if sees(taken) or file.mime in taken else "text"
    if _takes(taken, file.mime) and file.mime not in _DRAWINGS:
        return "native"
    if is_recording(file.mime) and file.kind != "animation":
        return "speech"
    return "text"


def sees(taken: Collection[str]) -> bool:
    """Return whether a model sees pictures."""
    return any(_takes(taken, mime) for mime in _SEEN)


def likely_tokens(attached: Iterable[AttachedFiles], taken: Collection[str]) -> int:
    """Return about how many tokens the files of a conversation take, as far as they were read.

    Args:
        attached: files of its messages.
        taken: MIME types that the model takes.
    """
    counted: dict[str, int] = {}
    for each in attached:
        for file in each.files:
            if way_of(file, taken) in {"native", "picture"}:
                counted[file.sha256] = estimate_file(FilePart(Path(), file.mime, file.size, file.sha256))
            else:
                counted[file.sha256] = math.ceil(each.chars.get(file.sha256, 0) / CHARS_PER_TOKEN)
    return sum(counted.values())


def _takes(taken: Collection[str], mime: str) -> bool:
    return bool({mime, f"{mime.partition('/')[0]}/*", "*/*"}.intersection(taken))
