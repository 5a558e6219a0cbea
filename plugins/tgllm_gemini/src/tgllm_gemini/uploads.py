"""Files of a conversation: small ones inside the request, large ones through the Files API (Gemini API: files)."""

import asyncio
from collections import defaultdict
from collections.abc import AsyncGenerator, Iterable, Sequence
from contextlib import aclosing, suppress
from dataclasses import dataclass

from google.genai import files as genai
from google.genai import types

from tgllm.api.clock import Clock
from tgllm.api.errors import ProviderError, Unsupported
from tgllm.api.types import FilePart
from tgllm.providers.attachments import check_size

__all__ = ["INLINE_BYTES", "Uploads", "inline", "needs_upload"]

INLINE_BYTES = 20 * 10**6
"""Maximum total size of the files inside one request."""
_MAX_BYTES = 2 * 1024**3
_LIFETIME_SECONDS = 47 * 3600.0  # the API keeps files for 48 hours
_READY_SECONDS = 300.0
_POLL_SECONDS = 2.0
_DELETE_SECONDS = 3.0


@dataclass(frozen=True, slots=True)
class _Uploaded:
    name: str
    uri: str
    forget_at: float
    """In seconds of the clock's monotonic time."""


class Uploads:
    """Uploaded files. Each file is uploaded once while the API keeps it, and deleted when the provider closes."""

    def __init__(self, remote: genai.AsyncFiles, clock: Clock, *, can_upload: bool) -> None:
        """Start without files; ``can_upload`` is False for Vertex AI, which has no Files API."""
        self._files = remote
        self._clock = clock
        self._can_upload = can_upload
        self._uploaded: dict[tuple[str, str], _Uploaded] = {}
        self._locks = defaultdict[tuple[str, str], asyncio.Lock](asyncio.Lock)

    async def gather(self, files: Iterable[FilePart], parts: dict[FilePart, types.Part]) -> AsyncGenerator[None, None]:
        """Add the part of each file to ``parts``; yields periodically during an upload.

        Raises:
            Unsupported: a file no longer exists, is too large, or can't be processed in time.
        """
        wanted = list(dict.fromkeys(files))
        large = needs_upload(wanted)
        for file in wanted:
            if file not in large:
                parts[file] = await inline(file)
                continue
            async with self._locks[_key(file)], aclosing(self._remote(file, parts)) as steps:
                async for _ in steps:
                    yield

    def forget(self) -> None:
        """Forget all uploads, so that files are uploaded again on their next use."""
        self._uploaded.clear()

    async def aclose(self) -> None:
        """Delete the uploaded files that can be deleted in a few seconds; the API deletes the rest later."""
        uploaded = list(self._uploaded.values())
        self.forget()
        # Errors are harmless here: the API deletes the files later.
        with suppress(Exception):
            async with asyncio.timeout(_DELETE_SECONDS):
                await asyncio.gather(*(self._files.delete(name=file.name) for file in uploaded), return_exceptions=True)

    async def _remote(self, file: FilePart, parts: dict[FilePart, types.Part]) -> AsyncGenerator[None, None]:
        if not self._can_upload:
            raise Unsupported(f"Vertex AI takes files of {INLINE_BYTES} bytes at most in one request")
        check_size(file, _MAX_BYTES)
        key, now = _key(file), self._clock.monotonic()
        known = self._uploaded.get(key)
        if known is None or known.forget_at <= now:
            yield
            found = await self._upload(file)
            async for _ in self._until_ready(found):
                yield
            known = self._uploaded[key] = _Uploaded(found.name or "", found.uri or "", now + _LIFETIME_SECONDS)
        parts[file] = types.Part.from_uri(file_uri=known.uri, mime_type=file.mime_type)

    async def _upload(self, file: FilePart) -> types.File:
        try:
            return await self._files.upload(
                file=str(file.path), config=types.UploadFileConfig(mime_type=file.mime_type)
            )
        except OSError:
            raise _gone() from None

    async def _until_ready(self, file: types.File) -> AsyncGenerator[None, None]:
        """Wait until a file is processed."""
        deadline = self._clock.monotonic() + _READY_SECONDS
        while file.state is types.FileState.PROCESSING:
            if self._clock.monotonic() >= deadline:
                # Unsupported, because a retry would send everything again.
                raise Unsupported(f"Gemini did not process a file in {_READY_SECONDS:g} seconds")
            yield
            await self._clock.sleep(_POLL_SECONDS)
            file = await self._files.get(name=file.name or "")
        if file.state is types.FileState.FAILED:
            raise Unsupported("Gemini could not process a file", mime_type=file.mime_type)


def needs_upload(files: Sequence[FilePart]) -> set[FilePart]:
    """Return the files that don't fit into the request; smaller files take precedence."""
    room = INLINE_BYTES
    large: set[FilePart] = set()
    for file in sorted(set(files), key=lambda file: file.size):
        room -= file.size
        if room < 0:
            large.add(file)
    return large


async def inline(file: FilePart) -> types.Part:
    """Return a file as a part inside the request.

    Raises:
        Unsupported: the file no longer exists.
    """
    try:
        content = await asyncio.to_thread(file.path.read_bytes)
    except OSError:
        raise _gone() from None
    return types.Part.from_bytes(data=content, mime_type=file.mime_type)


def _key(file: FilePart) -> tuple[str, str]:
    return file.sha256, file.mime_type


def _gone() -> ProviderError:
    return Unsupported("a file of the conversation no longer exists")
