"""Program of the rendering process: reads tasks from its standard input and writes their results, one by one.

It is run as a file, not as a module: importing the package ``tgllm.bot`` imports aiogram, which takes most of the time
and memory of a start, and rendering does not use it.
"""

import signal
import sys
from contextlib import suppress
from pathlib import Path
from types import ModuleType
from typing import Any, BinaryIO

MOST_BYTES = 2**31
"""Maximum address space: a text that needs more is sent as plain text, and the bot keeps its memory."""


def main() -> None:
    """Serve until the input ends."""
    _set_limits()
    _without_aiogram()
    from tgllm.bot.renderer import wire  # noqa: PLC0415  after _without_aiogram
    from tgllm.bot.renderer.tasks import run  # noqa: PLC0415  after _without_aiogram

    source, target = sys.stdin.buffer, sys.stdout.buffer
    # The time limit of the first task begins now.
    _write(target, wire.packed({}))
    while head := source.read(wire.LENGTH_BYTES):
        given = wire.read(source.read(wire.length_of(head)))
        _alarm(given["seconds"])
        answer = _answer(run, given)
        _alarm(0)
        _write(target, wire.packed(answer))


def _answer(run: Any, given: dict[str, Any]) -> dict[str, Any]:  # noqa: ANN401  imported late
    try:
        return {"result": run(given["task"], given["text"], given["option"])}
    except Exception as error:  # noqa: BLE001  the bot logs it and sends plain text
        return {"error": type(error).__name__}


def _write(target: BinaryIO, message: bytes) -> None:
    target.write(message)
    target.flush()


def _alarm(seconds: int) -> None:
    # The default action of SIGALRM ends the process, even within one call of C or Rust code, and also if the bot was
    # killed and can't end it.
    if hasattr(signal, "alarm"):
        signal.alarm(seconds)


def _set_limits() -> None:
    # Ctrl-C and a service manager signal all processes; the bot still needs this one for its last answers, and ends it.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
    with suppress(ImportError, OSError, ValueError):
        import resource  # noqa: PLC0415  not on Windows

        resource.setrlimit(resource.RLIMIT_AS, (MOST_BYTES, MOST_BYTES))


def _without_aiogram() -> None:
    """Put an empty module in place of ``tgllm.bot``, whose ``__init__`` imports aiogram."""
    package = ModuleType("tgllm.bot")
    package.__path__ = [str(Path(__file__).parents[1])]
    sys.modules[package.__name__] = package


if __name__ == "__main__":
    main()
