"""What handlers of text-like files share: opening, empty files, results."""

from collections.abc import Callable
from pathlib import Path
from typing import BinaryIO

from tgllm.api.errors import FileUnreadable
from tgllm.api.files import Extracted, ExtractionLimits
from tgllm.plugins.builtin.files.shared.building import TextBuilder

__all__ = ["Write", "read_file"]

Write = Callable[[BinaryIO, str, TextBuilder], str]
"""Function that adds the text of a file to a builder, from a seekable stream and the file's name, which may be only its
ending. It returns the encoding if that was guessed, else "". It serves for files in archives and mails too."""


def read_file(path: Path, limits: ExtractionLimits, write: Write) -> Extracted:
    """Return the text of a file.

    Raises:
        FileUnreadable: the file is empty, or contains nothing but white space.
    """
    builder = TextBuilder(limits)
    with path.open("rb") as stream:
        encoding = write(stream, path.name, builder)
    if not builder.text.strip() and not builder.truncated:
        raise FileUnreadable("The file contains no text", code="file_empty")
    return Extracted(builder.text, truncated=builder.truncated, encoding=encoding)
