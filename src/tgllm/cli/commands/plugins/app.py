"""``tgllm plugins``: installed and missing plugins, with their state; installation and checks."""

from enum import Enum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from tgllm.cli.options import options_of, path_given
from tgllm.cli.output import JsonOption

if TYPE_CHECKING:
    from tgllm.plugins.installing.commands import Action

# Imports are inside functions: --help needs none of them, and has to be fast.

__all__ = ["app"]

PackagesArgument = Annotated[
    list[str],
    typer.Argument(metavar="PACKAGE...", help="A name, a requirement (tgllm-x==1.2), a wheel, a folder or an address."),
]
InstalledArgument = Annotated[
    list[str], typer.Argument(metavar="PLUGIN...", help="Ids of plugins, or names of their packages.")
]
DryRunOption = Annotated[bool, typer.Option("--dry-run", help="Show what would change, and change nothing.")]
YesOption = Annotated[bool, typer.Option("--yes", "-y", help="Don't ask.")]

app = typer.Typer(rich_markup_mode=None, add_completion=False, no_args_is_help=True)


class Kind(Enum):
    """Kinds of a new plugin."""

    PROVIDER = "provider"
    OPENAI_COMPATIBLE = "openai-compatible"
    COMMAND = "command"
    JOB = "job"
    FILE_HANDLER = "file-handler"


@app.callback()
def plugins() -> None:
    """List, install, check and write plugins."""


@app.command("list")
def list_plugins(ctx: typer.Context, *, as_json: JsonOption = False) -> None:
    """List all plugins with their state, and the shell commands that packages add.

    The states are active, quarantined (the note has the reason), disabled, misconfigured, and missing since the last
    run.
    """
    from tgllm.cli.commands.plugins.list import run_list  # noqa: PLC0415  imported when called, so that --help is fast

    run_list(options_of(ctx), as_json=as_json)


@app.command()
def retry(
    ctx: typer.Context,
    plugin: Annotated[str, typer.Argument(metavar="PLUGIN", help="Id of the plugin, as tgllm plugins list shows it.")],
) -> None:
    """Load a plugin again that is left out because earlier starts have ended while it was loaded.

    It is loaded at the next start of the bot and of other commands.
    """
    from tgllm.cli.commands.plugins.list import run_retry  # noqa: PLC0415  imported when called, so that --help is fast

    run_retry(options_of(ctx), plugin)


@app.command()
def install(
    ctx: typer.Context,
    packages: PackagesArgument,
    *,
    dry_run: DryRunOption = False,
    yes: YesOption = False,
    as_json: JsonOption = False,
) -> None:
    """Install plugins into the environment that tgllm runs in: by pip, uv, pipx or uv tool, whichever manages it.

    First it is found out what would be installed. tgllm stays as it is, and what it needs changes only as far as it
    allows; a conflict is refused. Where the environment can't be changed from here, the exact command is shown. Then
    each new plugin is loaded in a process of its own.

    Exits with 1 if nothing could be installed, or a new plugin does not work.
    """
    _change(ctx, "install", packages, dry_run=dry_run, yes=yes, as_json=as_json)


@app.command()
def upgrade(
    ctx: typer.Context,
    plugins: InstalledArgument,
    *,
    dry_run: DryRunOption = False,
    yes: YesOption = False,
    as_json: JsonOption = False,
) -> None:
    """Upgrade plugins to the newest version that fits beside this tgllm; tgllm itself stays as it is."""
    _change(ctx, "upgrade", plugins, dry_run=dry_run, yes=yes, as_json=as_json)


@app.command()
def uninstall(
    ctx: typer.Context,
    plugins: InstalledArgument,
    *,
    dry_run: DryRunOption = False,
    yes: YesOption = False,
    as_json: JsonOption = False,
) -> None:
    """Uninstall plugins, after a warning of the data and settings that stay."""
    _change(ctx, "uninstall", plugins, dry_run=dry_run, yes=yes, as_json=as_json)


@app.command()
def check(
    ctx: typer.Context,
    plugin: Annotated[
        str | None, typer.Argument(metavar="[PLUGIN]", help="Id of a plugin, or its package; all by default.")
    ] = None,
    *,
    package: Annotated[str, typer.Option(hidden=True)] = "",
    into: Annotated[Path | None, typer.Option(hidden=True)] = None,
    as_json: JsonOption = False,
) -> None:
    """Load plugins, each in a process of its own, and check them.

    The checks are of loading, time and memory of the import, API version, hooks, settings, texts in all languages,
    names, entry point, required version of tgllm, types and metadata. Nothing that a plugin keeps is touched.

    Exits with 1 if a check fails; warnings don't count.
    """
    from tgllm.cli.commands.plugins.check import run_check, run_probe  # noqa: PLC0415  so that --help is fast

    if into is not None:
        run_probe(options_of(ctx), plugin or "", package, into)
    else:
        run_check(options_of(ctx), plugin, as_json=as_json)


@app.command()
def info(
    ctx: typer.Context,
    plugin: Annotated[str, typer.Argument(metavar="PLUGIN", help="Id of the plugin, or its package.")],
    *,
    as_json: JsonOption = False,
) -> None:
    """Show what is known about a plugin: package, author, hooks, offers, settings, and what it stores.

    Values of settings are not shown: they may be secret.
    """
    from tgllm.cli.commands.plugins.info import run_info  # noqa: PLC0415  so that --help is fast

    run_info(options_of(ctx), plugin, as_json=as_json)


@app.command()
def trace(
    ctx: typer.Context,
    plugin: Annotated[str | None, typer.Argument(metavar="[PLUGIN]", help="Only calls of this plugin.")] = None,
    *,
    count: Annotated[int | None, typer.Option(min=1, metavar="N", help="End after N calls.")] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print a line of JSON for each call.")] = False,
) -> None:
    """Show each call of a plugin by the running bot: when, which, how long, and the kind of its result.

    Start it before the bot to see how plugins are loaded. What people write is not shown. Ctrl-C ends it.
    """
    from tgllm.cli.commands.plugins.trace import run_trace  # noqa: PLC0415  so that --help is fast

    run_trace(options_of(ctx), plugin, count, as_json=as_json)


def _change(ctx: typer.Context, action: "Action", names: list[str], *, dry_run: bool, yes: bool, as_json: bool) -> None:
    from tgllm.cli.commands.plugins.packages import Switches, run_change  # noqa: PLC0415  so that --help is fast

    run_change(options_of(ctx), action, names, Switches(dry_run, yes, as_json))


@app.command()
def new(
    *,
    name: Annotated[str, typer.Argument(metavar="NAME", help="Such as weather or tgllm-weather.")],
    kind: Annotated[Kind, typer.Option(help="What the plugin is.")],
    path: Annotated[
        Path | None,
        typer.Option(
            help="The folder to make; default: NAME, in the current folder.", metavar="PATH", parser=path_given
        ),
    ] = None,
    author: Annotated[
        str | None, typer.Option(metavar="AUTHOR", help='Such as "Ann <ann@example.org>"; default: that of git.')
    ] = None,
    licence: Annotated[
        str, typer.Option("--license", metavar="LICENSE", help="MIT, Apache-2.0, BSD-3-Clause or none.")
    ] = "MIT",
) -> None:
    """Write the package of a new plugin, which works and has tests.

    It has settings, types, tests with the test kit and a whole bot, a README, a licence, and a workflow for CI. Try it
    with tgllm demo --plugin, which loads it again when a file changes.
    """
    from tgllm.cli.commands.plugins.new.create import Wanted, run_new  # noqa: PLC0415  imported when called, so that --help is fast

    run_new(Wanted(name, kind.value, path, author, licence))
