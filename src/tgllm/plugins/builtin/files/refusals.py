"""Handlers of files that can't be read, which say why in words."""

from pathlib import Path

from tgllm.api.errors import FileUnreadable
from tgllm.api.files import Extracted, ExtractionLimits, FileHandler

__all__ = ["HANDLERS", "refuse_empty", "refuse_encrypted", "refuse_old"]


def refuse_empty(_path: Path, _limits: ExtractionLimits) -> Extracted:
    """Refuse a file of no bytes."""
    raise FileUnreadable("The file is empty", code="file_empty")


def refuse_encrypted(_path: Path, _limits: ExtractionLimits) -> Extracted:
    """Refuse an Office file that is protected by a password."""
    raise FileUnreadable("The file needs a password", code="file_password")


def refuse_old(_path: Path, _limits: ExtractionLimits) -> Extracted:
    """Refuse files of old Office programs, which no small library reads."""
    raise FileUnreadable("The format is too old; save it as PDF, docx or pptx")


HANDLERS = (
    FileHandler(id="empty", mime_types=frozenset({"application/x-empty"}), extract=refuse_empty),
    FileHandler(id="encrypted", mime_types=frozenset({"application/encrypted"}), extract=refuse_encrypted),
    FileHandler(
        id="old_office",
        mime_types=frozenset(
            {
                "application/msword",
                "application/vnd.ms-outlook",
                "application/vnd.ms-powerpoint",
                "application/x-ole-storage",
            }
        ),
        extract=refuse_old,
    ),
)
