"""Loading of the settings from all sources: flag > environment > .env > TOML file > default."""

import os
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from operator import attrgetter
from pathlib import Path
from types import MappingProxyType
from urllib.parse import urlsplit

from pydantic import SecretStr, ValidationError
from pydantic_core import ErrorDetails

from tgllm.api.errors import ConfigError
from tgllm.config.model import Config
from tgllm.config.paths import default_config_path
from tgllm.config.sections.base import in_words
from tgllm.config.sources.config_files import dotenv_path, is_there, read_dotenv, read_toml
from tgllm.config.sources.keys import FIELDS, SECRETS
from tgllm.config.sources.layers import Layer, Table, file_layer, flag_layer, variable_layer
from tgllm.config.sources.plugins import PluginSettings
from tgllm.config.sources.secret_files import SecretFile, read_secret
from tgllm.config.sources.source import DEFAULT, Source, Value
from tgllm.config.sources.trust import Trust, bot_problems, is_foreign
from tgllm.observe.database_urls import passwords
from tgllm.observe.redaction import redact, redactor

_URLS = frozenset({"database.url", "database.listen_url"})
"""Settings that are secret for the password in them."""
_NUMBER = re.compile(r"[+-]?\d{1,12}(?:\.\d{1,6})?", re.ASCII)

__all__ = ["LoadedConfig", "config_place", "find_config", "load_config", "require_token"]


@dataclass(frozen=True, slots=True)
class LoadedConfig:
    """The settings, and their sources."""

    config: Config
    sources: Mapping[str, Source]
    """By dotted key (``turns.idle_timeout``), for every setting."""
    path: Path | None
    """The config file that was read, if any."""
    plugins: PluginSettings
    secret_files: tuple[Path, ...] = ()
    """Files with secrets of the bot itself; those of plugins are in ``plugins``."""


def load_config(
    flags: Mapping[str, object] | None = None,
    *,
    environ: Mapping[str, str] | None = None,
    config_path: Path | None = None,
    cwd: Path | None = None,
    with_file: bool = True,
    given: Mapping[str, object] | None = None,
) -> LoadedConfig:
    """Load the settings, and register their secrets for redaction.

    Args:
        flags: values from the command line, by dotted key; None means not given.
        environ: the environment, by default that of the process; it is not changed.
        config_path: the path from ``--config``; the default is ``TGLLM_CONFIG``, then the default path.
        cwd: the folder of ``.env``, by default the current one.
        with_file: False ignores the config file.
        given: values that are to be stored, by dotted key; they take precedence over all others.

    Raises:
        ConfigError: a sentence for each error, one per line.
    """
    environ = os.environ if environ is None else environ
    dotenv = dotenv_path(cwd)
    found = find_config(config_path, environ=environ, cwd=cwd) if with_file else None
    path = found if found is not None and is_there(found) else None
    layers = (
        file_layer(read_toml(path), str(path)) if path else Layer("file"),
        variable_layer("dotenv", read_dotenv(dotenv), str(dotenv)),
        variable_layer("environment", environ),
        flag_layer(flags or {}),
        flag_layer(given or {}, "given"),
    )
    values = {key: value for layer in layers for key, value in layer.values.items()}
    secret_files = [value.raw.path for value in values.values() if isinstance(value.raw, SecretFile)]
    values, unread = _with_secrets(values)
    config, wrong_values = _validate(values)
    trust = Trust(dotenv, is_foreign(dotenv, path), path is not None and _dotenv_names(config_path, environ, cwd))
    problems = [problem for layer in layers for problem in layer.problems] + unread + wrong_values
    problems += bot_problems(values, trust)
    if config is None or problems:
        raise ConfigError(redact("\n".join(problems)))
    _register_secrets(config)
    sources = {key: values[key].source if key in values else DEFAULT for key in FIELDS}
    return LoadedConfig(config, MappingProxyType(sources), path, PluginSettings(layers, trust), tuple(secret_files))


def _with_secrets(values: Mapping[str, Value]) -> tuple[dict[str, Value], list[str]]:
    """Return the values with the contents of secret files, and an error message for each that can't be read."""
    read: dict[str, Value] = {}
    problems: list[str] = []
    for key, value in values.items():
        if not isinstance(value.raw, SecretFile):
            read[key] = value
            continue
        try:
            read[key] = Value(read_secret(value.raw), value.source)
        except ConfigError as error:
            problems.append(str(error))
    return read, problems


def _dotenv_names(named: Path | None, environ: Mapping[str, str], cwd: Path | None) -> bool:
    """Return whether the config file is one that only ``.env`` names."""
    path, where = config_place(named, environ=environ, cwd=cwd)
    chosen = named is not None or environ.get("TGLLM_CONFIG", "").strip()
    return where is not None and not chosen and path != default_config_path()


def _register_secrets(config: Config) -> None:
    for key in SECRETS:
        if key in _URLS:
            continue
        secret: object = attrgetter(key)(config)
        if isinstance(secret, SecretStr):
            redactor.add(secret.get_secret_value())
    if config.errors.sentry_dsn is not None and (key := urlsplit(config.errors.sentry_dsn.get_secret_value()).username):
        # Sentry's key, which is a header of its requests.
        redactor.add(key)
    if password := urlsplit(config.telegram_api).password:
        # Of an address such as http://user:password@127.0.0.1:8081.
        redactor.add(password)
    for key in _URLS:
        url: SecretStr | None = attrgetter(key)(config)
        if url is not None:
            # Messages show the rest of the address.
            for secret in passwords(url.get_secret_value()):
                redactor.add(secret)
    if config.webhook.url is not None and (password := urlsplit(config.webhook.url).password):
        redactor.add(password)


def find_config(
    named: Path | None = None, *, environ: Mapping[str, str] | None = None, cwd: Path | None = None
) -> Path:
    """Return the path of the config file: a named one, which must exist, or the default path, which need not exist.

    Raises:
        ConfigError: the file named by the argument, by ``TGLLM_CONFIG``, or by that in ``.env`` does not exist.
    """
    path, where = config_place(named, environ=environ, cwd=cwd)
    if where is not None and not is_there(path):
        raise ConfigError(f"{where}: there is no file {path}")
    return path


def config_place(
    named: Path | None = None, *, environ: Mapping[str, str] | None = None, cwd: Path | None = None
) -> tuple[Path, str | None]:
    """Return the path of the config file, and the source of the path; None for the default path.

    Raises:
        ConfigError: the path is invalid, or ``.env`` can't be read.
    """
    environ = os.environ if environ is None else environ
    dotenv = dotenv_path(cwd)
    candidates = (
        (str(named or ""), "flag --config"),
        (environ.get("TGLLM_CONFIG", ""), "environment variable TGLLM_CONFIG"),
        (read_dotenv(dotenv).get("TGLLM_CONFIG", ""), f"{dotenv} (TGLLM_CONFIG)"),
    )
    for text, where in candidates:
        if text.strip():
            return _absolute(text.strip(), where), where
    return default_config_path(), None


def _absolute(text: str, where: str) -> Path:
    try:
        return Path(text).expanduser().absolute()
    except RuntimeError:
        raise ConfigError(f"{where}: {text} begins with an unknown user; write the full path") from None


def _validate(values: Mapping[str, Value]) -> tuple[Config | None, list[str]]:
    nested: Table = {}
    for key, value in values.items():
        section, dot, name = key.rpartition(".")
        table = nested.setdefault(section, {}) if dot else nested
        assert isinstance(table, dict)  # noqa: S101  no section has the name of a setting
        table[name] = value.raw
    try:
        return Config.model_validate(nested), []
    except ValidationError as error:
        return None, _sentences(error.errors(include_input=False, include_url=False), values)


def _sentences(errors: Sequence[ErrorDetails], values: Mapping[str, Value]) -> list[str]:
    by_key: dict[str, str] = {}
    for details in errors:
        key = _key(details["loc"])
        where = _place(values[key].source) if key in values else key
        by_key.setdefault(key, f"{where}: {in_words(details['msg'])}{_right_one(key, details['msg'], values.get(key))}")
    return list(by_key.values())


def _place(source: Source) -> str:
    """Return the source of a wrong value; the file of a secret takes no part in what is wrong with its line."""
    return source.spot if source.secret_file is None else f"{source.spot}, which names {source.secret_file}"


def _right_one(key: str, message: str, value: Value | None) -> str:
    """Return the end of an error message: what a right value looks like, with its unit, and the number that is set."""
    from tgllm.config.describe import example  # noqa: PLC0415  only for an error

    # Many messages of single checks already contain an example.
    right = (
        ""
        if key not in FIELDS or "such as" in message or "run tgllm" in message or "123456" in message
        else example(key)
    )
    number = str(value.raw).strip() if value is not None and isinstance(value.raw, str | int | float) else ""
    given = f"; it is {number}" if right and _NUMBER.fullmatch(number) else ""
    return f", {right}{given}" if right else ""


def _key(location: tuple[int | str, ...]) -> str:
    steps = [str(step) for step in location]
    keys = (".".join(steps[:end]) for end in range(len(steps), 0, -1))
    return next((key for key in keys if key in FIELDS), ".".join(steps))


def require_token(loaded: LoadedConfig) -> SecretStr:
    """Return the bot token.

    Raises:
        ConfigError: no token is set; the message explains how to get one.
    """
    token = loaded.config.bot_token
    if token is None:
        raise ConfigError(
            "bot_token is not set: ask @BotFather on Telegram for a token, then run tgllm init or set TGLLM_BOT_TOKEN"
        )
    return token
