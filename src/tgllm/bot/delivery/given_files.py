"""Files that plugins hand over to be sent."""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tgllm.api import OutgoingFile
from tgllm.api.clock import Clock
from tgllm.bot.delivery.files import media_payload
from tgllm.observe.logs import get_logger
from tgllm.services.files.made import MOST_FILE_BYTES, MOST_FILES
from tgllm.services.files.outgoing_names import mime_of, outgoing_name
from tgllm.services.files.storage.store import FileStorage
from tgllm.services.personal_data.export_files import copy_to_send

__all__ = ["GivenFiles"]

log = get_logger(__name__)


@dataclass(frozen=True, slots=True)
class GivenFiles:
    """Copies files to where they are kept until Telegram has them."""

    storage: FileStorage
    clock: Clock

    async def payloads(self, files: Sequence[OutgoingFile]) -> tuple[list[dict[str, Any]], list[str]]:
        """Return the parts of the rows' payloads that send the files, and the names of those that can't be sent."""
        payloads: list[dict[str, Any]] = []
        left_out: list[str] = []
        for number, file in enumerate(files, 1):
            name = outgoing_name(file.name, mime_of(file.mime_type), number)
            path = await self._copied(file) if number <= MOST_FILES else None
            if path is None:
                left_out.append(name)
            else:
                payloads.append(await media_payload(path, name))
        return payloads, left_out[: 2 * MOST_FILES]

    async def _copied(self, file: OutgoingFile) -> Path | None:
        try:
            content = file.content
            if isinstance(content, Path):
                # A file of an answer that goes on on another machine.
                content = await self.storage.fetch(content) or content
            now, folder = self.clock.now(), self.storage.data_dir
            path = await asyncio.to_thread(copy_to_send, folder, content, MOST_FILE_BYTES, now)
            if path is not None:
                await self.storage.put_or_remove(path)
            return path
        except (OSError, ValueError) as error:
            # ValueError: a path with a NUL character.
            log.warning("reply.no_file", error=type(error).__name__)
            return None
