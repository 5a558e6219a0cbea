"""Handlers of files that can't be read, which say why in words."""

from pathlib import Path

from tgllm.api.errors import FileUnreadable
from tgllm.api.files import Extracted, ExtractionLimits, FileHandler

__all__ = ["HANDLERS", "refuse_empty", "refuse_old"]


def refuse_empty(_path: Path, _limits: ExtractionLimits) -> Extracted:
    """Refuse a file of no bytes."""
    raise FileUnreadable("The file is empty", code="file_empty")


def refuse_old(_path: Path, _limits: ExtractionLimits) -> Extracted:
    """Refuse files of Office programs that no small library reads."""
    raise FileUnreadable("No reader for this format; save it as PDF, or a mail as eml")


HANDLERS = (
    FileHandler(id="empty", mime_types=frozenset({"application/x-empty"}), extract=refuse_empty),
    FileHandler(
        id="old_office",
        mime_types=frozenset({"application/vnd.ms-outlook", "application/vnd.ms-visio.drawing"}),
        extract=refuse_old,
    ),
)
