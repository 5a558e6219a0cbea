"""Import of commands that plugins provide."""

from importlib.metadata import EntryPoint

import typer

from tgllm.api.errors import PluginError

__all__ = ["load_app"]


def load_app(point: EntryPoint) -> typer.Typer:
    """Return the Typer app of an entry point in the group ``tgllm.cli``.

    Raises:
        PluginError: it can't be imported, or is no Typer app; the message names the package.
    """
    package = point.dist.name if point.dist else point.value
    try:
        app: object = point.load()
    except (Exception, SystemExit) as error:
        reason = f"{type(error).__name__}: {error}"
        raise PluginError(
            f"The command {point.name} of the package {package} can't be loaded ({reason}); "
            "ask its author, or uninstall the package"
        ) from error
    if not isinstance(app, typer.Typer):
        raise PluginError(
            f"The command {point.name} of the package {package} is no Typer app ({point.value}); ask its author"
        )
    return app
