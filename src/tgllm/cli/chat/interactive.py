"""Interactive chat: reads messages and commands until it ends."""

import signal
import sys
from collections.abc import Generator
from contextlib import contextmanager
from types import FrameType

from tgllm.api import TgllmError
from tgllm.cli.chat.answering import ENDING
from tgllm.cli.chat.commands import Commands
from tgllm.cli.chat.prompt import Prompt
from tgllm.cli.waking import signals_are_seen

__all__ = ["chat_on"]

HISTORY_FILE = "chat_history"
"""In the data folder."""


def chat_on(commands: Commands) -> int:
    """Read messages and answer them, until Ctrl-D or ``/exit``; return the exit code.

    Ctrl-C at the prompt drops the line; at an empty prompt it says how to leave.
    """
    talk = commands.talk
    prompt = Prompt(talk.engine.core.config.data_dir / HISTORY_FILE, commands.complete, sys.stderr)
    with _ended_by_signals(), signals_are_seen():
        while not commands.has_ended:
            try:
                text = prompt.read()
            except EOFError:
                sys.stderr.write("\n")
                break
            except KeyboardInterrupt:
                sys.stderr.write("\n")
                talk.notes.tell("terminal.leave")
                continue
            _handle(commands, text)
    return 0


def _handle(commands: Commands, text: str) -> None:
    try:
        if text.startswith("/"):
            commands.run(text.strip())
        elif text.strip():
            attached = list(commands.attached)
            commands.attached.clear()
            commands.talk.ask(text, attached)
    except TgllmError as error:
        commands.talk.notes.fail(error)
    except KeyboardInterrupt:
        commands.talk.notes.tell("terminal.leave")


@contextmanager
def _ended_by_signals() -> Generator[None]:
    """End the chat in order on SIGTERM and SIGHUP, also at the prompt."""

    def end(number: int, _frame: FrameType | None) -> None:
        raise SystemExit(128 + number)

    former = {number: signal.getsignal(number) for number in ENDING}
    for number in ENDING:
        if former[number] != signal.SIG_IGN:
            signal.signal(number, end)
    try:
        yield
    finally:
        for number, handler in former.items():
            signal.signal(number, handler)
