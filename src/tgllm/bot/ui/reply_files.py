"""Files in the replies of plugins' commands."""

import asyncio
from collections.abc import Sequence
from pathlib import Path
from typing import Final

from tgllm.api import OutgoingFile, Reply
from tgllm.bot.delivery.files import media_payload
from tgllm.bot.delivery.rows import document_row, message_rows
from tgllm.bot.scope import Scope
from tgllm.bot.ui.markdown_reply import markdown_rows
from tgllm.bot.updates.raw import turn_id_of
from tgllm.db.tables.outbox import NewOutbox
from tgllm.observe.logs import get_logger
from tgllm.services.files.made import MOST_FILE_BYTES, MOST_FILES
from tgllm.services.files.outgoing_names import mime_of, outgoing_name
from tgllm.services.personal_data.export_files import copy_to_send

__all__ = ["send_with_files", "wrong_file"]

_BOUND: Final = "content", "name", "mime_type"

log = get_logger(__name__)


def wrong_file(files: object) -> str | None:
    """Return what is wrong with the types of a reply's files; None if nothing is. A plugin may not be type-checked."""
    if not isinstance(files, list | tuple):
        return f"returned a {type(files).__name__} as the files of a Reply"
    for file in files:  # pyright: ignore[reportUnknownVariableType]  any object
        if not isinstance(file, OutgoingFile):
            return f"returned a {type(file).__name__} where an OutgoingFile belongs"  # pyright: ignore[reportUnknownArgumentType]  any object
        content, name, mime_type = (getattr(file, field) for field in _BOUND)
        if not (isinstance(content, bytes | Path) and isinstance(name, str) and isinstance(mime_type, str)):
            return "returned an OutgoingFile with fields of wrong types"
    return None


async def send_with_files(scope: Scope, reply: Reply) -> None:
    """Finish the update with the text of a reply and its files, which are copied at once.

    Files that can't be sent are named to the person.
    """
    texts: list[NewOutbox] = []
    if reply.text.strip():
        texts = await (markdown_rows(scope, reply.text) if reply.markdown else scope.reply_rows(reply.text))
    rows, left_out = await _file_rows(scope, reply.files, first_part=len(texts))
    if left_out:
        limit = f"{MOST_FILE_BYTES // 2**20} MB"
        words = scope.text("send.files_not_sent", names=", ".join(left_out), most=MOST_FILES, limit=limit)
        rows += message_rows(scope.lane, words)
    await scope.end(replies=[*texts, *rows])


async def _file_rows(
    scope: Scope, files: Sequence[OutgoingFile], *, first_part: int
) -> tuple[list[NewOutbox], list[str]]:
    """Return the rows of the files, and the names of those that can't be sent."""
    rows: list[NewOutbox] = []
    left_out: list[str] = []
    for number, file in enumerate(files, 1):
        name = outgoing_name(file.name, mime_of(file.mime_type), number)
        path = await _copied(scope, file) if number <= MOST_FILES else None
        if path is None:
            left_out.append(name)
            continue
        payload = await media_payload(path, name)
        part = first_part + len(rows)
        rows.append(document_row(scope.lane, payload, turn_id=turn_id_of(scope.row.update_id), part=part))
    return rows, left_out[: 2 * MOST_FILES]


async def _copied(scope: Scope, file: OutgoingFile) -> Path | None:
    folder, now = scope.config.data_dir, scope.clock.now()
    try:
        return await asyncio.to_thread(copy_to_send, folder, file.content, MOST_FILE_BYTES, now)
    except (OSError, ValueError) as error:
        # ValueError: a path with a NUL character.
        log.warning("reply.no_file", error=type(error).__name__)
        return None
