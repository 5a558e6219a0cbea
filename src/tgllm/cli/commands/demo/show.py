"""Output of the demo: the conversation, the address of the chat page, and reloads of plugins that change."""

import asyncio
import signal
import sys
from collections.abc import AsyncIterable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from tgllm.api.errors import PluginError
from tgllm.cli.commands.demo.told import told
from tgllm.cli.output import say

if TYPE_CHECKING:
    from tgllm.testing.demo import Demo, Line

__all__ = ["Show", "show"]

WATCH_SECONDS = 1.0
"""How often the files of plugins are looked at."""

_INTRODUCTION = (
    "tgllm demo: a private bot on a Telegram that runs on this machine. No token, no key, no network.\n"
    "Eve is a newcomer, Ann is the bot's admin."
)
_TINY = (
    "{model} answers: a tiny model on this machine, which shows how a bot works and is often wrong.\n"
    "The README tells how to use a better one.\n"
)
_ECHO = "The echo provider stands in for a language model.\n"
_NO_MODEL = "The echo provider answers, because there is no model here: {reason}\n"
_CHOSEN = "The model {model} answers.\n"


@dataclass(frozen=True, slots=True, kw_only=True)
class Show:
    """What was asked for on the command line."""

    once: bool
    port: int
    has_plugins: bool
    environ: Mapping[str, str]
    """Variables with settings."""
    variables: Mapping[str, str]
    """All variables; a plugin of ``paths`` gets those of them that it declares."""
    model: str | None
    paths: Sequence[Path] = ()
    """Plugins that are not installed."""


async def show(wanted: Show) -> None:
    """Run the demo until its end.

    Raises:
        ConfigError: a setting is invalid, or there is no plugin in a path.
        PluginError: with ``once``, a plugin of ``paths`` does not load.
        OSError: the port is in use.
    """
    from tgllm.observe.logs import configure_logging  # noqa: PLC0415  imported when needed, because it is slow
    from tgllm.plugins.discovery import discover  # noqa: PLC0415  imported when needed, because it is slow
    from tgllm.testing.demo import open_demo  # noqa: PLC0415  imported when needed, because it is slow
    from tgllm.testing.local.plugins import LocalPlugins  # noqa: PLC0415  imported when needed, because it is slow
    from tgllm.testing.tiny_model import NAME  # noqa: PLC0415  imported when needed, because it is slow

    local = LocalPlugins(wanted.paths, wanted.environ, wanted.variables)
    say(_INTRODUCTION)
    configure_logging("console", "warning", sys.stderr)
    stop = asyncio.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        asyncio.get_running_loop().add_signal_handler(number, stop.set)
    plugins = discover() if wanted.has_plugins else ()
    async with open_demo(
        port=wanted.port, plugins=plugins, environ=wanted.environ, model=wanted.model, local=local
    ) as running:
        words = {NAME: _TINY, "echo": _NO_MODEL if running.why_echo else _ECHO}.get(running.model, _CHOSEN)
        say(words.format(model=running.model, reason=running.why_echo))
        for tried in running.tried:
            say(told(tried) + "\n")
        if await _says(running.script(), stop):
            return
        if wanted.once:
            await _says(running.try_commands(), stop)
            _check(running)
            return
        say(f"\nNow you: go on talking to the bot at\n\n    {running.page_url}\n\nCtrl-C ends the demo.")
        await _until(stop, running)
        say("\nThe demo has ended; nothing was left behind.")


async def _until(stop: asyncio.Event, running: "Demo") -> None:
    if not running.tried:
        await stop.wait()
        return
    say("A plugin is loaded again when a file of it changes.")
    while not stop.is_set():
        with suppress(TimeoutError):
            async with asyncio.timeout(WATCH_SECONDS):
                await stop.wait()
                return
        for tried in await running.reload():
            say(f"\n{told(tried, again=True)}")
            sys.stdout.flush()


def _check(running: "Demo") -> None:
    broken = [str(tried.path) for tried in running.tried if not tried.works]
    if broken:
        raise PluginError(f"{', '.join(broken)} does not load: the reason is above.")


async def _says(lines: "AsyncIterable[Line]", stop: asyncio.Event) -> bool:
    """Print lines, and return whether the demo is to end."""
    async for line in lines:
        _print(line.speaker, line.text, growing=line.kind == "draft")
        if stop.is_set():
            return True
    return False


def _print(speaker: str, text: str, *, growing: bool) -> None:
    name = f"{speaker}: "
    if growing:
        say(f"{name}{text.rstrip()} ...", dim=True)
    else:
        say(name, bold=True, newline=False)
        say(text)
    sys.stdout.flush()
