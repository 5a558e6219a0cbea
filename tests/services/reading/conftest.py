"""Reading processes with handlers that tests choose."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

import reading_handlers
from tgllm.api.files import Extracted, ExtractionLimits, FileHandler
from tgllm.plugins.owned import OwnedFileHandler
from tgllm.services.reading.pool import ReaderPool
from tgllm.services.reading.values import MissingPackage, PoolSettings
from tgllm.testing.clock import ManualClock

LIMITS = ExtractionLimits(max_chars=1_000_000, seconds=60.0, memory_bytes=2**30)


@dataclass
class Reading:
    """A pool, and what it has reported."""

    clock: ManualClock
    path: Path
    settings: PoolSettings = field(default_factory=PoolSettings)
    quarantined: list[tuple[str, str]] = field(default_factory=list)
    missing: list[MissingPackage] = field(default_factory=list)

    limits: ExtractionLimits = LIMITS

    def __post_init__(self) -> None:
        self.pool = ReaderPool(self.clock, self._quarantine, self._note, self.settings)

    async def read(
        self,
        extract: Callable[..., Any],
        content: str = "Hello",
        *,
        limits: ExtractionLimits = LIMITS,
        name: str = "a report.txt",
        owner: object = None,
        **handler: Any,
    ) -> Extracted:
        path = self.path / f"{len([*self.path.iterdir()])}"
        path.write_text(content)
        return await self.pool.read(owned(extract, **handler), path, limits, name, owner=owner)

    def _quarantine(self, plugin_id: str, reason: str) -> None:
        self.quarantined.append((plugin_id, reason))

    async def _note(self, missing: MissingPackage) -> None:
        self.missing.append(missing)


def owned(extract: Callable[..., Any], **handler: Any) -> OwnedFileHandler:
    return OwnedFileHandler(FileHandler("tested", frozenset({"text/plain"}), extract, **handler), "nasty", None)  # type: ignore[arg-type]  not used


class Meetings:
    """Connections of handlers that wait; the end of a connection shows the end of its process."""

    def __init__(self) -> None:
        self.met: asyncio.Queue[Meeting] = asyncio.Queue()
        self.writers: list[asyncio.StreamWriter] = []

    async def accept(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.writers.append(writer)
        pid = int(await reader.readline() or 0)
        self.met.put_nowait(Meeting(pid, reader, writer))


@dataclass
class Meeting:
    pid: int
    reader: asyncio.StreamReader
    writer: asyncio.StreamWriter

    def go_on(self, text: str) -> None:
        """Let the handler return a text."""
        self.writer.write(text.encode())

    async def ended(self) -> None:
        """Wait for the end of the process."""
        with suppress(ConnectionError):
            assert await self.reader.read() == b""


@dataclass
class Place:
    meetings: Meetings
    port: str


@pytest.fixture
async def place() -> AsyncIterator[Place]:
    meetings = Meetings()
    server = await asyncio.start_server(meetings.accept, "127.0.0.1", 0)
    yield Place(meetings, str(server.sockets[0].getsockname()[1]))
    server.close()
    for writer in meetings.writers:
        writer.close()


@pytest.fixture
async def make_reading(tmp_path: Path, clock: ManualClock) -> AsyncIterator[Callable[..., Reading]]:
    made: list[Reading] = []

    def make(**settings: Any) -> Reading:
        folder = tmp_path / f"files{len(made)}"
        folder.mkdir()
        made.append(Reading(clock, folder, PoolSettings(**settings)))
        return made[-1]

    yield make
    for each in made:
        await each.pool.aclose()
        assert not each.pool.pids


@pytest.fixture
def reading(make_reading: Callable[..., Reading]) -> Reading:
    return make_reading()


@pytest.fixture
def handlers() -> Any:
    return reading_handlers
