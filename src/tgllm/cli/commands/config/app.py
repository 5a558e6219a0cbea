"""``tgllm config``: the settings and their sources."""

import asyncio
import json
from dataclasses import asdict
from typing import Annotated

import typer

from tgllm.api.errors import ConfigError
from tgllm.cli.commands.config.edit import change_password, change_setting, load_for_edit, remove_setting
from tgllm.cli.commands.config.keys import Keys, read_keys
from tgllm.cli.failure import tell
from tgllm.cli.options import Options, options_of
from tgllm.cli.output import JsonOption, print_json, print_table, say
from tgllm.config.describe import allowed, bounds, choices, default_text, example_value, unit_of
from tgllm.config.exposure import exposed_files, exposure_text
from tgllm.config.load import LoadedConfig, find_config
from tgllm.config.show import Setting
from tgllm.config.sources.config_files import is_there
from tgllm.config.sources.keys import FIELDS, nearest
from tgllm.i18n import Catalogue

__all__ = ["app"]

app = typer.Typer(
    help="Show the settings and their sources.", rich_markup_mode=None, add_completion=False, no_args_is_help=True
)


@app.command()
def path(ctx: typer.Context) -> None:
    """Show the path of the config file."""
    found = find_config(options_of(ctx).config)
    say(found)
    if not is_there(found):
        tell(Catalogue()("shell.config_none"))


@app.command()
def show(ctx: typer.Context, *, as_json: JsonOption = False) -> None:
    """Show every setting with its source, also those of plugins; secrets are hidden."""
    options = options_of(ctx)
    found = list(_keys(options, options.load()).settings())
    if as_json:
        print_json([asdict(setting) for setting in found])
    else:
        print_table(("Setting", "Value", "Source"), ((item.key, _text(item), item.source) for item in found))


@app.command()
def search(ctx: typer.Context, words: list[str], *, as_json: JsonOption = False) -> None:
    """Search the settings by words in their key, meaning or variable; all of the words must be there."""
    _list(options_of(ctx), words, as_json=as_json)


@app.command("list")
def list_(
    ctx: typer.Context, words: Annotated[list[str] | None, typer.Argument()] = None, *, as_json: JsonOption = False
) -> None:
    """List the settings with meaning and variable; with words, only those that contain them, as search does."""
    _list(options_of(ctx), words or [], as_json=as_json)


def _list(options: Options, words: list[str], *, as_json: bool) -> None:
    keys = _keys(options, options.load())
    wanted = [part for word in words for part in word.split()]
    found = [key for key in keys if all(key.matches(word) for word in wanted)]
    if as_json:
        print_json([{"key": key.name, "meaning": key.meaning, "variable": key.variables[0]} for key in found])
        return
    if not found:
        near = nearest(" ".join(wanted), keys.by_name)
        cure = f"did you mean {near}?" if near else "tgllm config list shows all settings"
        raise ConfigError(f"no setting contains {' and '.join(wanted)}; {cure}")
    print_table(("Setting", "Meaning", "Variable"), ((key.name, key.meaning, key.variables[0]) for key in found))


@app.command()
def explain(ctx: typer.Context, key: str, *, as_json: JsonOption = False) -> None:
    """Explain a setting: meaning, unit, range, default, example, variable, value and source."""
    options = options_of(ctx)
    loaded = options.load()
    keys = _keys(options, loaded)
    known = keys.known(key)
    found = keys.setting(known)
    field = known.field
    rows = {
        "key": known.name,
        "meaning": known.meaning,
        "unit": unit_of(known.name, field),
        "allowed": allowed(field),
        "default": "" if known.is_secret else default_text(field),
        "example": example_value(known.name) if known.plugin is None else "",
        "variable": ", ".join(known.variables),
        "file": ", ".join(known.file_variables),
        "value": _text(found),
        "source": found.source,
    }
    if as_json:
        print_json(rows)
        return
    texts = Catalogue(loaded.config.language)
    limits = (texts(f"shell.setting_{name}", limit=limit) for name, limit in bounds(field))
    shown = {
        **rows,
        "unit": texts(f"shell.unit_{rows['unit'].lower()}") if rows["unit"] else "",
        "allowed": ", ".join((*limits, *choices(field))),
    }
    title = (texts("shell.setting_key"), known.name)
    print_table(title, ((texts(f"shell.setting_{name}"), shown[name] or "-") for name in shown if name != "key"))


@app.command()
def get(ctx: typer.Context, key: str) -> None:
    """Print the value of a setting; a secret is hidden."""
    options = options_of(ctx)
    loaded = options.load()
    keys = _keys(options, loaded, key)
    say(_text(keys.setting(keys.known(key))))


@app.command("set", context_settings={"ignore_unknown_options": True})  # for negative numbers
def set_(ctx: typer.Context, key: str, value: Annotated[str | None, typer.Argument()] = None) -> None:
    """Set a setting in the config file, and keep its comments; a secret is asked for, or read from standard input."""
    options = options_of(ctx)
    options.quiet_log()
    known = FIELDS.get(key)
    keys = _keys(options, load_for_edit(options), key) if known is None else None
    change_setting(options, keys, Keys.own(key) if keys is None else keys.known(key), value)


@app.command()
def unset(ctx: typer.Context, key: str) -> None:
    """Remove a setting from the config file, so that its default applies; comments stay.

    It also removes a setting that is unknown or has an invalid value.
    """
    remove_setting(options_of(ctx), key)


def _keys(options: Options, loaded: LoadedConfig, key: str | None = None) -> Keys:
    """Return all settings; those of plugins only if they are needed for that key."""
    if key is not None and key in FIELDS:
        return Keys(loaded, {})
    options.quiet_log()
    return asyncio.run(read_keys(loaded, options))


def _text(setting: Setting) -> str:
    if setting.value is None:
        return "-"
    return setting.value if isinstance(setting.value, str) else json.dumps(setting.value, ensure_ascii=False)


@app.command()
def check(ctx: typer.Context) -> None:
    """Check all settings, including those of plugins."""
    options = options_of(ctx)
    options.quiet_log()
    loaded = options.load()
    asyncio.run(_check_plugins(loaded, options))
    say(Catalogue(loaded.config.language)("shell.config_ok"))


async def _check_plugins(loaded: LoadedConfig, options: Options) -> None:
    from tgllm.app import open_core  # noqa: PLC0415  the other commands here need no plugins
    from tgllm.cli.core import model_warnings, raise_config_errors, warnings  # noqa: PLC0415  only check needs it

    async with open_core(loaded, plugins=options.plugins) as core:
        raise_config_errors(core)
        for warning in (*await model_warnings(core, of_echo=False), *warnings(core, loaded)):
            tell(warning)
        for found in exposed_files(loaded):
            tell(exposure_text(core.texts, found))


@app.command()
def password(
    ctx: typer.Context,
    *,
    remove: Annotated[bool, typer.Option("--remove", help="Remove the password instead.")] = False,
) -> None:
    """Set the password for dangerous actions in the chat.

    In a terminal it prompts twice, without echo; otherwise it reads one line from standard input. Only the hash is
    stored, in the config file.
    """
    options = options_of(ctx)
    options.quiet_log()
    change_password(options, remove=remove)
