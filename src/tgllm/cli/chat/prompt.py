"""Prompt of the chat: line editing, messages of several lines, and the history of what was typed."""

import json
import os
import sys
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from typing import Final, TextIO

from tgllm.api.errors import TgllmError
from tgllm.observe.visible import visible

__all__ = ["Prompt"]

MOST_ENTRIES: Final = 1000
"""Most messages that are kept."""
MOST_ENTRY: Final = 100_000
"""Characters of a message that is kept."""
_QUOTES: Final = '"""'


class Prompt:
    """Reads messages from a terminal, or from another standard input."""

    def __init__(self, history: Path, complete: Callable[[str], Sequence[str]], err: TextIO) -> None:
        """Create a prompt.

        Args:
            history: the file of former messages.
            complete: returns the completions of a line.
            err: where the prompt is shown if the input or the output is no terminal.
        """
        self._history = history
        self._complete = complete
        self._err = err
        self._has_editing = sys.stdin.isatty() and sys.stdout.isatty() and self._begin_editing()

    def read(self) -> str:
        """Return the next message.

        A line that ends with a backslash, or a message that begins with three quotation marks, has further lines.

        Raises:
            EOFError: there are no more.
            KeyboardInterrupt: Ctrl-C.
        """
        line = self._line("> ")
        if line.lstrip().startswith(_QUOTES):
            text = self._until_quotes(line.lstrip().removeprefix(_QUOTES))
        else:
            lines = [line]
            while lines[-1].endswith("\\"):
                lines[-1] = lines[-1][:-1]
                lines.append(self._line("… "))
            text = "\n".join(lines)
        self._remember(text)
        return text

    def _until_quotes(self, first: str) -> str:
        lines = [first]
        while not lines[-1].rstrip().endswith(_QUOTES):
            lines.append(self._line("… "))
        lines[-1] = lines[-1].rstrip().removesuffix(_QUOTES)
        return "\n".join(lines).strip("\n")

    def _line(self, sign: str) -> str:
        if self._has_editing:
            return input(_in_encoding(sign, sys.stdout))
        self._err.write(_in_encoding(sign, self._err))
        self._err.flush()
        line = sys.stdin.readline()
        if not line:
            raise EOFError
        return line.removesuffix("\n")

    def _begin_editing(self) -> bool:
        try:
            import readline  # noqa: PLC0415  missing in some builds of Python
        except ImportError:
            return True  # input() reads a line without it
        for entry in self._stored():
            readline.add_history(entry)
        readline.set_auto_history(False)
        readline.set_completer_delims("\n")
        readline.set_completer(self._completion)
        for command in ("tab: complete", "set enable-bracketed-paste on", "set show-all-if-ambiguous on"):
            # Of GNU readline; the replacement on macOS ignores what it doesn't know.
            readline.parse_and_bind("bind ^I rl_complete" if _is_libedit(readline.__doc__, command) else command)
        return True

    def _completion(self, text: str, state: int) -> str | None:
        try:
            found = self._complete(text)
        except (OSError, TgllmError):
            return None
        return found[state] if state < len(found) else None

    def _stored(self) -> Sequence[str]:
        try:
            lines = self._history.read_text(encoding="utf-8", errors="replace").splitlines()
        except OSError:
            return ()
        if len(lines) > 2 * MOST_ENTRIES:
            lines = lines[-MOST_ENTRIES:]
            self._rewrite(lines)
        return [entry for line in lines[-MOST_ENTRIES:] if (entry := _entry(line))]

    def _rewrite(self, lines: Iterable[str]) -> None:
        part = self._history.with_name(f"{self._history.name}.{os.getpid()}")
        try:
            with os.fdopen(os.open(part, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w", encoding="utf-8") as out:
                out.writelines(f"{line}\n" for line in lines)
            part.replace(self._history)
        except OSError:
            part.unlink(missing_ok=True)

    def _remember(self, text: str) -> None:
        """Add a message to the history, in memory and on disk; a disk that is full costs the history only."""
        if not self._has_editing or not text.strip() or len(text) > MOST_ENTRY:
            return
        try:
            import readline  # noqa: PLC0415  missing in some builds of Python

            readline.add_history(visible(text))
        except ImportError:
            pass
        try:
            with os.fdopen(os.open(self._history, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600), "w") as out:
                out.write(json.dumps(text) + "\n")
        except OSError:
            return


def _entry(line: str) -> str:
    try:
        found = json.loads(line)
    except ValueError:
        return ""
    return visible(found) if isinstance(found, str) else ""


def _is_libedit(doc: str | None, command: str) -> bool:
    return command.startswith("tab") and "libedit" in (doc or "")


def _in_encoding(sign: str, stream: TextIO) -> str:
    try:
        sign.encode(stream.encoding or "ascii")
    except (UnicodeEncodeError, LookupError):
        return ". "
    return sign
