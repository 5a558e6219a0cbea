"""``tgllm config``: the settings and their sources."""

import asyncio
import json
import os
import sys
from dataclasses import asdict
from operator import attrgetter
from pathlib import Path
from typing import Annotated, cast

import typer
from pydantic import SecretStr

from tgllm.api.errors import ConfigError
from tgllm.cli.failure import tell
from tgllm.cli.options import Options, options_of
from tgllm.cli.output import JsonOption, ask, print_json, print_table, say
from tgllm.config.describe import allowed, default_text, unit_of
from tgllm.config.edit import set_in_file
from tgllm.config.exposure import exposed_files, exposure_text
from tgllm.config.load import LoadedConfig, config_place, find_config, load_config
from tgllm.config.password_hash import hash_password, why_unfit
from tgllm.config.show import Setting, settings
from tgllm.config.sources.config_files import is_there
from tgllm.config.sources.keys import FIELDS, IN_FILES, SECRETS, nearest, variable
from tgllm.config.sources.secret_files import FILE_VARIABLE_ENDING
from tgllm.config.write import TomlValue
from tgllm.i18n import Catalogue

__all__ = ["app"]

app = typer.Typer(
    help="Show the settings and their sources.", rich_markup_mode=None, add_completion=False, no_args_is_help=True
)


_HASH_KEY = "admin.password_hash"


@app.command()
def path(ctx: typer.Context) -> None:
    """Show the path of the config file."""
    found = find_config(options_of(ctx).config)
    say(found)
    if not is_there(found):
        tell(Catalogue()("shell.config_none"))


@app.command()
def show(ctx: typer.Context, *, as_json: JsonOption = False) -> None:
    """Show every setting with its source; secrets are hidden."""
    found = settings(options_of(ctx).load())
    if as_json:
        print_json([asdict(setting) for setting in found])
    else:
        print_table(("Setting", "Value", "Source"), ((item.key, _text(item), item.source) for item in found))


@app.command()
def explain(ctx: typer.Context, key: str, *, as_json: JsonOption = False) -> None:
    """Explain a setting: meaning, unit, range, default, variable, value and source."""
    key = _known(key)
    field = FIELDS[key]
    found = next(setting for setting in settings(options_of(ctx).load()) if setting.key == key)
    rows = {
        "key": key,
        "meaning": field.description or "",
        "unit": unit_of(key),
        "allowed": allowed(field),
        "default": default_text(field),
        "variable": variable(key),
        "file": variable(key) + FILE_VARIABLE_ENDING if key in IN_FILES else "",
        "value": _text(found),
        "source": found.source,
    }
    if as_json:
        print_json(rows)
    else:
        print_table(("Setting", key), ((name, text or "-") for name, text in rows.items() if name != "key"))


@app.command()
def get(ctx: typer.Context, key: str) -> None:
    """Print the value of a setting; a secret is hidden."""
    key = _known(key)
    say(_text(next(setting for setting in settings(options_of(ctx).load()) if setting.key == key)))


@app.command("set")
def set_(ctx: typer.Context, key: str, value: Annotated[str | None, typer.Argument()] = None) -> None:
    """Set a setting in the config file, and keep its comments; a secret is asked for, or read from standard input."""
    options = options_of(ctx)
    options.quiet_log()
    key = _known(key)
    if key in SECRETS and value is not None:
        raise ConfigError(f"{key} is a secret, which others could read in the list of processes; leave out the value")
    given = _asked(key) if value is None else value
    loaded = load_config({**options.flags, key: given}, config_path=_named(options.config))
    path = _file_to_write(options.config)
    set_in_file(path, key, _toml_value(key, attrgetter(key)(loaded.config)))
    say(f"{path}: {key}")
    for name in (variable(key), variable(key) + FILE_VARIABLE_ENDING):
        if os.environ.get(name, "").strip():
            tell(Catalogue()("shell.password_overridden", variable=name))


def _named(path: Path | None) -> Path | None:
    """Return a named config file if it exists: a new one is made."""
    return path if path is None or is_there(path) else None


def _asked(key: str) -> str:
    return ask(key, hidden=key in SECRETS) if sys.stdin.isatty() else sys.stdin.readline().rstrip("\r\n")


def _toml_value(key: str, value: object) -> TomlValue:
    """Return a valid value as one of TOML.

    Raises:
        ConfigError: it is a table, which a person writes into the file.
    """
    match value:
        case SecretStr():
            return value.get_secret_value()
        case Path():
            return str(value)
        case bool() | int() | float() | str():
            return value
        case tuple() if all(isinstance(item, int | str) for item in cast("tuple[object, ...]", value)):
            return list(cast("tuple[int, ...]", value))
        case _:
            raise ConfigError(f"{key} is a table: write it into the config file (tgllm config path)")


def _known(key: str) -> str:
    """Return the key of a setting, which may also be written as its variable.

    Raises:
        ConfigError: there is no such setting; the message suggests the nearest one.
    """
    found = {variable(name): name for name in FIELDS}.get(key.upper(), key)
    if found in FIELDS:
        return found
    near = nearest(key, FIELDS)
    raise ConfigError(f"unknown setting {key}; " + (f"did you mean {near}?" if near else "see tgllm config show"))


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
    from tgllm.cli.core import model_warnings, raise_config_errors, warnings  # noqa: PLC0415

    async with open_core(loaded, plugins=options.plugins) as core:
        raise_config_errors(core)
        for warning in (*await model_warnings(core, of_echo=False), *warnings(core, loaded)):
            tell(warning)
        for found in exposed_files(loaded):
            tell(exposure_text(core.texts, found))


@app.command()
def password(ctx: typer.Context) -> None:
    """Set the password for dangerous actions in the chat.

    In a terminal it prompts twice, without echo; otherwise it reads one line from standard input. Only the hash is
    stored, in the config file.
    """
    options = options_of(ctx)
    options.quiet_log()
    path = _file_to_write(options.config)
    set_in_file(path, _HASH_KEY, str(hash_password(_new_password())))
    texts = Catalogue()
    say(texts("shell.password_set", path=path))
    for name in (variable(_HASH_KEY), variable(_HASH_KEY) + FILE_VARIABLE_ENDING):
        if os.environ.get(name, "").strip():
            tell(texts("shell.password_overridden", variable=name))


def _file_to_write(named: Path | None) -> Path:
    """Return the config file that the other commands would read; a path from ``--config`` need not exist."""
    return find_config() if named is None else config_place(named)[0]


def _new_password() -> str:
    """Prompt for a password, in a terminal until it is valid; otherwise read a line from standard input.

    Raises:
        ConfigError: the line is not a valid password.
    """
    texts = Catalogue()
    if not sys.stdin.isatty():
        given = sys.stdin.readline().rstrip("\r\n")
        if reason := why_unfit(given):
            raise ConfigError(f"the password {reason}")
        return given
    while True:
        asked = ask(texts("shell.password_new"), hidden=True)
        if reason := why_unfit(asked):
            tell(f"The password {reason}.")
        elif asked == ask(texts("shell.password_again"), hidden=True):
            return asked
        else:
            tell(texts("shell.password_differs"))
