"""``tgllm models``: the known models, and the default one."""

from typing import TYPE_CHECKING, Annotated

import typer

from tgllm.cli.options import Options, options_of
from tgllm.cli.output import JsonOption, print_json, print_table, say

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from tgllm.cli.commands.models.cells import Dollars
    from tgllm.db.tables.models import Model

# Imports are inside functions: `models list` needs few of them, and has to be fast.

__all__ = ["app"]

app = typer.Typer(
    help="List, select and refresh models.",
    rich_markup_mode=None,
    add_completion=False,
    no_args_is_help=True,
)


@app.command("list")
def list_models(
    ctx: typer.Context,
    *,
    provider: Annotated[str | None, typer.Option(help="Only models of this provider.", metavar="ID")] = None,
    as_json: JsonOption = False,
) -> None:
    """List the known models, as of the last refresh.

    "USD per 1M tokens" is the price in US dollars per million tokens. The default is used in chats that have not
    selected a model.
    """
    from tgllm.cli.commands.models.cells import COLUMNS, as_object, as_row, mark_default  # noqa: PLC0415  only a run of this command needs it

    found, fallback, price = _stored(options_of(ctx))
    is_default = mark_default(found, fallback)
    shown = [model for model in found if provider in {None, model.provider}]
    if as_json:
        print_json([as_object(model, price(model), is_default=is_default(model)) for model in shown])
    elif shown:
        print_table(COLUMNS, (as_row(model, price(model), is_default=is_default(model)) for model in shown))
    if not shown:
        _tell_none(found, provider)


def _stored(options: Options) -> "tuple[Sequence[Model], str, Callable[[Model], Dollars | None]]":
    """Return the available models, the default model of the settings, and a function that returns a model's price."""
    from tgllm.cli.commands.models.cells import dollars_of  # noqa: PLC0415  only a run of this command needs it
    from tgllm.cli.stored import look_with, settings_to_look  # noqa: PLC0415  only a run of this command needs it
    from tgllm.config.quick import quick_settings  # noqa: PLC0415  only a run of this command needs it
    from tgllm.db.tables.models import list_all  # noqa: PLC0415  only a run of this command needs it

    quick = quick_settings(options.flags, options.config, local=False)
    if quick is not None:
        return look_with(quick, list_all, []), quick.default_model, dollars_of
    from tgllm.cli.commands.models.prices import price_finder  # noqa: PLC0415  only a run of this command needs it

    found = look_with(settings_to_look(options, local=False), list_all, [])
    config = options.load().config
    return found, config.default_model, price_finder(config.prices)


def _tell_none(found: "Sequence[Model]", provider: str | None) -> None:
    from tgllm.cli.failure import tell_text  # noqa: PLC0415  only a run of this command needs it

    known = sorted({model.provider for model in found})
    if provider is None or not known:
        tell_text("shell.models_none")
    else:
        tell_text("shell.models_none_of", provider=provider, known=", ".join(known))


@app.command()
def sync(ctx: typer.Context, *, as_json: JsonOption = False) -> None:
    """Refresh the model lists of all providers, and show the changes.

    If a provider fails, its previous list is kept, and the command exits with 1. A missing key is not a failure.
    """
    from tgllm.cli.commands.models.sync import run_sync  # noqa: PLC0415  only a run of this command needs it

    raise typer.Exit(run_sync(options_of(ctx), as_json=as_json))


@app.command()
def default(
    ctx: typer.Context,
    ref: Annotated[str | None, typer.Argument(help="The model, as provider/model.")] = None,
    *,
    none: Annotated[bool, typer.Option("--none", help="Use the default_model of the settings again.")] = False,
) -> None:
    """Set or show the default model.

    It overrides default_model in the settings. A running bot uses it at once.
    """
    from tgllm.cli.commands.models.default import run_default  # noqa: PLC0415  only a run of this command needs it

    if ref is not None and none:
        raise typer.BadParameter("give a model or --none, not both")
    say(run_default(options_of(ctx), ref, reset=none))
