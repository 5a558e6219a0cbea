"""Writes a config file."""

import json
import os
from collections.abc import Mapping
from pathlib import Path
from typing import TypeAlias

from tgllm.api.errors import ConfigError

__all__ = ["TomlValue", "toml_text", "write_config"]

TomlValue: TypeAlias = str | int | float | bool | list[int] | list[str]


def toml_text(settings: Mapping[str, TomlValue]) -> str:
    """Settings by dotted key as TOML: those without a table first, then a table for each beginning."""
    tables: dict[str, list[str]] = {"": []}
    for key, value in settings.items():
        table, _, name = key.rpartition(".")
        # JSON's strings and numbers are TOML's too, as long as no letter is escaped as a pair of surrogates.
        tables.setdefault(table, []).append(f"{name} = {json.dumps(value, ensure_ascii=False)}")
    blocks = ["\n".join([f"[{table}]", *lines] if table else lines) for table, lines in tables.items() if lines]
    return "\n\n".join(blocks) + "\n"


def write_config(path: Path, text: str, *, replace: bool = False) -> None:
    """Make a config file that only its owner can read: it holds keys.

    Raises:
        ConfigError: it is there already and is not to be replaced, or it can't be written.
    """
    flags = os.O_WRONLY | os.O_CREAT | (os.O_TRUNC if replace else os.O_EXCL)
    try:
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        with os.fdopen(os.open(path, flags, 0o600), "w", encoding="utf-8") as file:
            os.fchmod(file.fileno(), 0o600)
            file.write(text)
    except FileExistsError:
        raise ConfigError(f"{path}: is there already; edit it, or write it anew with --force") from None
    except OSError as error:
        raise ConfigError(f"{path}: can't be written: {error.strerror}") from None
