"""A terminal: what its screen and scrollback show, and programs that run in one."""

import asyncio
import fcntl
import os
import pty
import re
import signal
import struct
import sys
import termios
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from program_support import PATIENCE

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
