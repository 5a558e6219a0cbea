"""A terminal: what its screen and scrollback show; and ``tgllm chat`` in it, or as a process with pipes."""

import asyncio
import fcntl
import os
import pty
import re
import signal
import sqlite3
import struct
import sys
import termios
from collections.abc import Awaitable, Callable, Mapping
from contextlib import closing
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from program_support import PATIENCE
from tgllm.testing.fake_providers import FakeMistral

_ESCAPE = re.compile(r"\x1b\[([0-9;?]*)([A-Za-z])")


class Screen:
    """Screen and scrollback of a terminal, with as much as ``tgllm chat`` uses of its escape sequences."""

    def __init__(self, width: int, height: int) -> None:
        self.width, self.height = width, height
        self.rows: list[list[str]] = [[]]
        self.row = self.column = 0

    def write(self, text: str) -> int:
        at = 0
        while at < len(text):
            found = _ESCAPE.match(text, at)
            if found is not None:
                self._act(found[1], found[2])
                at = found.end()
            else:
                self._put(text[at])
                at += 1
        return len(text)

    def flush(self) -> None:
        pass

    @property
    def lines(self) -> list[str]:
        """All rows, those that have left the screen included."""
        return ["".join(row).rstrip() for row in self.rows]

    @property
    def text(self) -> str:
        return "\n".join(self.lines).strip("\n")

    def _act(self, number: str, letter: str) -> None:
        match letter:
            case "A":
                # The cursor doesn't reach what has left the screen.
                top = max(0, len(self.rows) - self.height)
                self.row = max(top, self.row - int(number or 1))
            case "J":
                del self.rows[self.row + 1 :]
                del self.rows[self.row][self.column :]
            case "K":
                del self.rows[self.row][self.column :]
            case "m" | "h" | "l":
                pass
            case _:
                raise AssertionError(f"an escape sequence that this terminal doesn't know: {number}{letter}")

    def _put(self, sign: str) -> None:
        if sign == "\r":
            self.column = 0
            return
        if sign == "\n" or self.column >= self.width:
            self.row, self.column = self.row + 1, 0
            if self.row == len(self.rows):
                self.rows.append([])
            if sign == "\n":
                return
        assert sign >= " ", f"a control character reached the terminal: {sign!r}"
        row = self.rows[self.row]
        row.extend(" " * (self.column + 1 - len(row)))
        row[self.column] = sign
        self.column += 1


@dataclass
class TerminalProgram:
    """A program in a terminal."""

    process: asyncio.subprocess.Process
    master: int
    shown: str = ""
    _seen: int = 0
    _news: asyncio.Event = field(default_factory=asyncio.Event)
    is_open: bool = True

    def begin(self) -> None:
        asyncio.get_running_loop().add_reader(self.master, self._read)

    def types(self, text: str) -> None:
        os.write(self.master, text.encode())

    async def shows(self, text: str) -> str:
        """Wait until a text comes after what was waited for before; return what came until then."""
        async with asyncio.timeout(PATIENCE):
            while (at := self.shown.find(text, self._seen)) < 0:
                assert self.is_open, f"it ended without {text!r}: {self.shown[self._seen :]!r}"
                await self._news.wait()
                self._news.clear()
        came, self._seen = self.shown[self._seen : at + len(text)], at + len(text)
        return came

    async def end(self) -> int:
        """Wait for its end; return the exit code."""
        async with asyncio.timeout(PATIENCE):
            code = await self.process.wait()
        self._read_rest()
        return code

    def close(self) -> None:
        if self.process.returncode is None:
            self.process.send_signal(signal.SIGKILL)
        asyncio.get_running_loop().remove_reader(self.master)
        os.close(self.master)

    @property
    def modes(self) -> object:
        """The modes of the terminal."""
        return termios.tcgetattr(self.master)

    def _read(self) -> None:
        try:
            piece = os.read(self.master, 65536)
        except OSError:
            piece = b""
        if piece:
            self.shown += piece.decode(errors="replace")
        else:
            self.is_open = False
            asyncio.get_running_loop().remove_reader(self.master)
        self._news.set()

    def _read_rest(self) -> None:
        os.set_blocking(self.master, False)
        try:
            while piece := os.read(self.master, 65536):
                self.shown += piece.decode(errors="replace")
        except OSError:
            return


async def in_terminal(
    *args: str, cwd: Path, variables: Mapping[str, str], size: tuple[int, int] = (80, 24)
) -> TerminalProgram:
    """Start ``tgllm`` in a terminal."""
    master, slave = pty.openpty()
    fcntl.ioctl(slave, termios.TIOCSWINSZ, struct.pack("HHHH", size[1], size[0], 0, 0))
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        "-m",
        "tgllm",
        *args,
        cwd=cwd,
        env={**variables, "TERM": variables.get("TERM", "xterm-256color")},
        stdin=slave,
        stdout=slave,
        stderr=slave,
        preexec_fn=_own_terminal,
    )
    os.close(slave)
    program = TerminalProgram(process, master)
    program.begin()
    return program


def _own_terminal() -> None:
    os.setsid()
    fcntl.ioctl(0, termios.TIOCSCTTY, 0)


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
