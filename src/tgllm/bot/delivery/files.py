"""Files in the outbox: a row's payload is JSON, so it holds the path of the file."""

import asyncio
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from aiogram.types import FSInputFile

from tgllm.observe.logs import get_logger
from tgllm.services.personal_data.export_files import remove_export

__all__ = ["DOCUMENT", "document_payload", "opened", "remove_document"]

DOCUMENT = "document"
"""Key in the payload of sendDocument: the file's path and its name in the chat."""

log = get_logger(__name__)


def document_payload(path: Path, name: str, caption: str = "") -> dict[str, Any]:
    """Return the part of a row's payload that sends a file, which is removed once it is sent.

    Args:
        path: of the file.
        name: name of the file in the chat.
        caption: text below it, at most 1024 characters (Bot API: sendDocument).
    """
    payload: dict[str, Any] = {DOCUMENT: {"path": str(path.absolute()), "name": name}}
    return {**payload, "caption": caption} if caption else payload


def opened(payload: Mapping[str, Any]) -> Mapping[str, Any]:
    """Return the payload with the file in place of its path; a payload without a file is unchanged.

    Raises:
        ValueError: the file does not exist any more.
    """
    path = _path(payload)
    if path is None:
        return payload
    if not path.is_file():
        raise ValueError("the file to be sent is gone")
    return {**payload, DOCUMENT: FSInputFile(path, filename=str(payload[DOCUMENT]["name"]))}


async def remove_document(payload: Mapping[str, Any]) -> None:
    """Remove the file of a finished row, if it has one."""
    path = _path(payload)
    if path is None:
        return
    try:
        await asyncio.to_thread(remove_export, path)
    except OSError as error:
        # The retention job removes it later, with the old exports.
        log.warning("export.not_removed", error=type(error).__name__)


def _path(payload: Mapping[str, Any]) -> Path | None:
    return Path(str(payload[DOCUMENT]["path"])) if DOCUMENT in payload else None
