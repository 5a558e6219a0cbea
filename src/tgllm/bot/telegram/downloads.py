"""Downloads of people's files from the Bot API server.

The URL of a file holds the bot token, and so may the path on a local server. Errors of the connection name the URL, so
that none of them leaves this module, not even as the context of another one.
"""

import re
from dataclasses import dataclass
from http import HTTPStatus
from pathlib import Path
from typing import TYPE_CHECKING, Final, cast
from urllib.parse import quote

from aiogram import Bot
from aiogram.exceptions import AiogramError, TelegramBadRequest, TelegramForbiddenError, TelegramNotFound
from aiogram.methods import GetFile
from aiogram.types import File
from aiohttp import ClientError, ClientResponse, ClientTimeout

from tgllm.api import FileUnreadable
from tgllm.api.clock import Clock
from tgllm.bot.telegram.failures import classify
from tgllm.bot.telegram.local_files import LocalFiles
from tgllm.observe.logs import get_logger
from tgllm.services.files.attachment import Attachment, Download

if TYPE_CHECKING:
    from tgllm.bot.telegram.session import BotSession

__all__ = ["MOST_BYTES", "Downloads"]

log = get_logger(__name__)

MOST_BYTES: Final = 20 * 1024 * 1024
"""Largest file that Telegram's server delivers. Bot API: getFile."""
MOST_LOCAL_BYTES: Final = 2000 * 1024 * 1024
"""Largest file that people can send, which a local server delivers. Bot API: "Using a Local Bot API Server"."""
MOST_TRIES: Final = 5
"""Tries that bring nothing new before a download is given up."""
FIRST_PAUSE: Final = 0.5
"""Seconds before the second try; doubled for each further one."""
LONGEST_PAUSE: Final = 30.0
SILENCE_SECONDS: Final = 30.0
"""Longest time between two chunks, in seconds."""
MOST_SECONDS: Final = 900.0
"""Longest time of a download with all its tries, in seconds."""
LOCAL_GET_FILE_SECONDS: Final = 600
"""Timeout of getFile on a local server, which answers when it has the whole file."""
CHUNK: Final = 64 * 1024

_RANGE: Final = re.compile(r"bytes (\d+)-\d+/(?:\d+|\*)")
_GONE: Final = ("invalid file_id", "wrong file identifier", "wrong remote file", "file is not accessible")
"""Parts of errors by which the server says that it doesn't know a file."""


@dataclass(frozen=True, slots=True)
class _Failure:
    """Why a try failed."""

    code: str
    """Code of the error if all tries fail."""
    reason: str
    """For the log; holds no URL."""
    is_final: bool = False
    """Whether further tries can't help."""
    wait: float = 0.0
    """Seconds that the server asks for."""


class Downloads:
    """Source of the files of a bot: the server of the Bot API, or the folder of a local one."""

    def __init__(self, bot: Bot, clock: Clock, folder: Path | None = None) -> None:
        """Download for ``bot``; ``folder`` is where a local server keeps files, None for Telegram's own."""
        self._bot = bot
        self._clock = clock
        self._local = None if folder is None else LocalFiles(folder, bot.token)

    @property
    def most_bytes(self) -> int:
        """Largest file that the server delivers, in bytes."""
        return MOST_BYTES if self._local is None else MOST_LOCAL_BYTES

    async def download(self, attachment: Attachment, target: Download) -> None:
        """Download a file; broken downloads are resumed or repeated.

        Raises:
            FileUnreadable: the file is too large for the server, no longer there, or all tries failed; its ``name`` is
                empty if the file has none. Also raised by the target.
        """
        deadline = self._clock.monotonic() + MOST_SECONDS
        tries, most = 0, target.size
        while (failure := await self._try(attachment, target, deadline)) is not None:
            tries = 0 if target.size > most else tries + 1
            most = max(most, target.size)
            pause = max(failure.wait, min(LONGEST_PAUSE, FIRST_PAUSE * 2**tries))
            is_over = tries >= MOST_TRIES or self._clock.monotonic() + pause >= deadline
            log.info("file.download_failed", reason=failure.reason, at_bytes=target.size, tries=tries)
            if failure.is_final or is_over:
                raise FileUnreadable(
                    f"a file was not received: {failure.reason}",
                    code=failure.code,
                    name=attachment.name or "",
                    limit=f"{self.most_bytes // (1024 * 1024)} MB",
                )
            await self._clock.sleep(pause)

    async def _try(self, attachment: Attachment, target: Download, deadline: float) -> _Failure | None:
        """Ask for the file's path, which is valid for an hour, and fetch what is missing."""
        found = await self._get_file(attachment.source)
        if isinstance(found, _Failure):
            return found
        path = found.file_path or ""
        if not path:
            return _Failure("file_not_received", "the server names no path")
        local = None if self._local is None else await self._local.find(path)
        if local is None:
            return await self._fetch(path, target, found.file_size, deadline)
        # A file on disk is complete, and reading it again costs little.
        await target.restart()
        reason = await LocalFiles.copy(local, target.write)
        return None if reason is None else _Failure("file_not_received", reason)

    async def _get_file(self, file_id: str) -> File | _Failure:
        seconds = None if self._local is None else LOCAL_GET_FILE_SECONDS
        failure: _Failure
        try:
            return await self._bot(GetFile(file_id=file_id), request_timeout=seconds)
        except (AiogramError, TimeoutError, OSError) as error:
            failure = _refusal(error)
        return failure

    async def _fetch(self, path: str, target: Download, size: int | None, deadline: float) -> _Failure | None:
        session = cast("BotSession", self._bot.session)
        url = session.api.file_url(self._bot.token, quote(path))
        headers = {"Accept-Encoding": "identity"}
        if target.size:
            headers["Range"] = f"bytes={target.size}-"
        limit = ClientTimeout(total=None, sock_connect=SILENCE_SECONDS, sock_read=SILENCE_SECONDS)
        reason, is_measured = "", False
        try:
            connections = await session.create_session()
            async with connections.get(url, headers=headers, timeout=limit, allow_redirects=False) as response:
                failure = await _begin(response, target)
                if failure is not None:
                    return failure
                async for chunk in response.content.iter_chunked(CHUNK):
                    await target.write(chunk)
                    if self._clock.monotonic() >= deadline:
                        return _Failure("file_not_received", "it takes too long", is_final=True)
                is_measured = response.content_length is not None
        except (ClientError, TimeoutError, OSError, ValueError) as error:
            failed = session.explain(error, SILENCE_SECONDS)
            reason = type(error).__name__ if failed is None else str(failed)
        if reason:
            return _Failure("file_not_received", reason)
        if not is_measured and size is not None and target.size < size:
            return _Failure("file_not_received", "the connection ended early")
        return None


async def _begin(response: ClientResponse, target: Download) -> _Failure | None:
    """Check the head of a response, and drop what was received if it begins anew."""
    status = response.status
    if status == HTTPStatus.PARTIAL_CONTENT:
        found = _RANGE.fullmatch(response.headers.get("Content-Range", ""))
        if found is not None and int(found[1]) == target.size:
            return None
        await target.restart()
        return _Failure("file_not_received", "another range than the missing one")
    if status == HTTPStatus.OK:
        if target.size:
            await target.restart()
        return None
    if status == HTTPStatus.REQUESTED_RANGE_NOT_SATISFIABLE:
        await target.restart()
    code = "file_gone" if status in {HTTPStatus.NOT_FOUND, HTTPStatus.GONE} else "file_not_received"
    return _Failure(code, f"HTTP {status}", wait=_seconds(response.headers.get("Retry-After")))


def _seconds(value: str | None) -> float:
    return float(value) if value is not None and value.isdecimal() and len(value) < 7 else 0.0


def _refusal(error: BaseException) -> _Failure:
    """Return why getFile failed."""
    words = str(getattr(error, "message", "")).lower()
    is_refused = isinstance(error, TelegramBadRequest | TelegramForbiddenError | TelegramNotFound)
    if is_refused and "file is too big" in words:
        return _Failure("file_too_large", "file is too big", is_final=True)
    if is_refused and "temporarily unavailable" not in words and any(part in words for part in _GONE):
        return _Failure("file_gone", "the server doesn't know the file", is_final=True)
    failure = classify(error)
    wait = failure.retry_after if failure.meaning == "wait" else 0.0
    return _Failure("file_not_received", failure.reason, wait=wait, is_final=failure.meaning == "fatal")
