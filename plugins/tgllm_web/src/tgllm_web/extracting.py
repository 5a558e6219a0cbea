"""Text of a page's HTML, extracted in a child process with limits of time and memory.

A page can keep a parser busy for minutes, or make it use gigabytes: 3 MB of paragraphs that are not closed do.
"""

import asyncio
import json
import os
import sys
from asyncio.subprocess import DEVNULL, PIPE, Process
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass, field

from tgllm.api.errors import ToolFailed
from tgllm.api.types import JsonObject
from tgllm.providers.json_values import as_object, as_text

__all__ = ["Extractor", "Page"]

_COMMAND = (sys.executable, "-P", "-m", "tgllm_web.child")
_KEPT_VARIABLES = ("PATH", "LANG", "LC_", "LD_", "DYLD_", "PYTHON", "TMP", "TEMP", "SYSTEMROOT", "COVERAGE_")
"""Beginnings of the environment variables that the child gets: keys and tokens are none of them."""
_AT_ONCE = 2
_SKIPPED = "the page is too large or too complicated to be read"


@dataclass(frozen=True, slots=True)
class Page:
    """Text of a page."""

    title: str
    text: str = field(repr=False)


class Extractor:
    """Extracts text from HTML, of two pages at once."""

    def __init__(self, *, seconds: float, megabytes: int) -> None:
        """Create an extractor.

        Args:
            seconds: time limit for a page.
            megabytes: memory limit of the child process.
        """
        self._seconds = seconds
        self._megabytes = megabytes
        self._free = asyncio.Semaphore(_AT_ONCE)

    async def extract(self, html: str, url: str) -> Page:
        """Return the title and the text of a page; the text is empty if there is none.

        Raises:
            ToolFailed: it takes too much time or memory, or the parser crashes.
        """
        async with self._free:
            answer = await self._ask(html, url)
        return Page(as_text(answer.get("title")), as_text(answer.get("text")))

    async def _ask(self, html: str, url: str) -> JsonObject:
        process = await asyncio.create_subprocess_exec(
            *(*_COMMAND, f"{self._seconds:g}", str(self._megabytes)),
            stdin=PIPE,
            stdout=PIPE,
            stderr=DEVNULL,
            env=_variables(os.environ),
            start_new_session=True,
        )
        try:
            async with asyncio.timeout(self._seconds):
                said, _ = await process.communicate(f"{url}\n{html}".encode(errors="replace"))
        except TimeoutError:
            raise ToolFailed(_SKIPPED) from None
        finally:
            await _end(process)
        if process.returncode:
            raise ToolFailed(_SKIPPED)
        try:
            return as_object(json.loads(said))
        except ValueError:
            raise ToolFailed(_SKIPPED) from None


async def _end(process: Process) -> None:
    """End the child at once; it has nothing to clean up."""
    if process.returncode is None:
        with suppress(ProcessLookupError):
            process.kill()
        await process.wait()


def _variables(environ: Mapping[str, str]) -> dict[str, str]:
    return {name: value for name, value in environ.items() if name.upper().startswith(_KEPT_VARIABLES)}
