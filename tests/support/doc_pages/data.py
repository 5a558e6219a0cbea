"""Checks of the data formats on a page."""

import asyncio
import configparser
import json
import tomllib
from collections.abc import Callable
from pathlib import Path
from xml.etree import ElementTree as ET

import yaml

from tgllm.api.errors import ConfigError
from tgllm.app import open_core
from tgllm.cli.core import config_problems
from tgllm.config.load import load_config


def check_config(text: str, folder: Path) -> None:
    """Load a config file, with the settings of plugins."""
    path = folder / "config.toml"
    path.write_text(text, encoding="utf-8")
    path.chmod(0o600)
    _load(folder, path)


def check_dotenv(text: str, folder: Path) -> None:
    """Load a file of environment variables."""
    (folder / ".env").write_text(text, encoding="utf-8")
    (folder / ".env").chmod(0o600)
    _load(folder, folder / "no config file")


def _load(folder: Path, path: Path) -> None:
    environ = {"HOME": str(folder), "TGLLM_DATA_DIR": str(folder / "data")}
    loaded = load_config(environ=environ, config_path=path if path.exists() else None, cwd=folder)

    async def load_plugins() -> None:
        async with open_core(loaded) as core:
            if problems := config_problems(core):
                raise ConfigError("\n".join(problems))

    asyncio.run(load_plugins())


def check_ini(text: str, _folder: Path) -> None:
    """Parse an INI file, such as a unit of systemd; a key may stand there more than once."""
    parser = configparser.ConfigParser(
        strict=False, interpolation=None, delimiters=("=",), default_section="no default"
    )
    parser.read_string(text)
    if not parser.sections():
        raise ValueError("an INI file has sections")


def check_json(text: str, _folder: Path) -> None:
    json.loads(text)


def check_yaml(text: str, _folder: Path) -> None:
    documents = list(yaml.safe_load_all(text))
    if not all(isinstance(document, dict | list) for document in documents):
        raise ValueError("a YAML file holds mappings or lists")


def check_xml(text: str, _folder: Path) -> None:
    ET.fromstring(text)


def check_python(text: str, _folder: Path) -> None:
    """Run a module."""
    exec(compile(text, "page", "exec"), {"__name__": "page"})


CHECKS: dict[str, Callable[[str, Path], None]] = {
    "toml": check_config,
    "dotenv": check_dotenv,
    "ini": check_ini,
    "json": check_json,
    "yaml": check_yaml,
    "xml": check_xml,
    "python": check_python,
}
SYNTAX: dict[str, Callable[[str, Path], None]] = {
    **CHECKS,
    "toml": lambda text, _folder: tomllib.loads(text) and None,
    "dotenv": lambda _text, _folder: None,
    "python": lambda text, _folder: compile(text, "page", "exec") and None,
}
"""Checks of a block that becomes a file."""
