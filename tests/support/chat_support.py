"""``tgllm chat`` as a process of its own."""

import asyncio
import sqlite3
import sys
from collections.abc import Awaitable, Callable
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from terminal_support import TerminalProgram
from tgllm.testing.fake_providers import FakeMistral

MODEL = "mistral/mistral-small-2603"


@dataclass(frozen=True)
class Ended:
    """How a command ended."""

    code: int
    out: str
    err: str


@dataclass(frozen=True)
class Chat:
    """Where ``tgllm chat`` is run."""

    folder: Path
    variables: dict[str, str]

    async def begins(self, *args: str, command: str = "chat", **variables: str) -> asyncio.subprocess.Process:
        pipe = asyncio.subprocess.PIPE
        return await asyncio.create_subprocess_exec(
            sys.executable,
            "-m",
            "tgllm",
            command,
            *args,
            cwd=self.folder,
            env={**self.variables, **variables},
            stdin=pipe,
            stdout=pipe,
            stderr=pipe,
        )

    async def runs(self, *args: str, given: bytes = b"", command: str = "chat", **variables: str) -> Ended:
        process = await self.begins(*args, command=command, **variables)
        out, err = await process.communicate(given)
        assert process.returncode is not None
        return Ended(process.returncode, out.decode(), err.decode())

    def rows(self, query: str) -> list[dict[str, Any]]:
        with closing(sqlite3.connect(self.folder / "data" / "tgllm.db")) as conn:
            conn.row_factory = sqlite3.Row
            return [dict(row) for row in conn.execute(query)]


Terminals = Callable[..., Awaitable[TerminalProgram]]
"""Runs ``tgllm chat`` in a terminal with these arguments, and environment variables as keywords."""


def asked(mistral: FakeMistral) -> list[str]:
    """The texts of the messages of the last request."""
    body = mistral.requests[-1].body
    assert isinstance(body, dict)
    return [_text(message["content"]) for message in body["messages"]]


def _text(content: object) -> str:
    if isinstance(content, list):
        return "".join(str(part.get("text", "")) for part in content)
    return str(content)
