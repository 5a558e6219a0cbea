"""Places of plugins that are not installed: a folder with a package, or a file with a module."""

import ast
import tomllib
from collections.abc import Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final, cast

from tgllm.api.errors import ConfigError
from tgllm.plugins.discovery import GROUP, FoundPlugin

__all__ = ["Source", "read_source"]

_PROJECT: Final = "pyproject.toml"
_PREFIX: Final = "tgllm_"
_NO_VERSION: Final = "0"


@dataclass(frozen=True, slots=True)
class Source:
    """Plugins of one place, as they would be if they were installed from there."""

    watched: Path
    """The folder or file whose changes count."""
    root: Path
    """The folder from which the modules are imported."""
    found: tuple[FoundPlugin, ...]


def read_source(path: Path) -> Source:
    """Find the plugins of a folder with a ``pyproject.toml``, of a package, or of a file with a module.

    Raises:
        ConfigError: there is none; the message says what is missing.
    """
    place = path.absolute()
    if (place / _PROJECT).is_file():
        return _of_project(place)
    if (place / "__init__.py").is_file():
        inner = place / "plugin.py"
        return _of_module(inner if inner.is_file() else place / "__init__.py", watched=place)
    if place.is_file() and place.suffix == ".py":
        return _of_module(place, watched=place)
    if place.is_dir():
        raise ConfigError(
            f"{path} is no plugin: it has no {_PROJECT}. tgllm plugins new writes a plugin to start with."
        )
    if place.exists():
        raise ConfigError(f"{path} is no plugin: name a folder with a {_PROJECT}, or a file with a Python module.")
    raise ConfigError(f"there is no {path}: name the folder of a plugin. tgllm plugins new writes one.")


def _of_project(folder: Path) -> Source:
    file = folder / _PROJECT
    try:
        tables = tomllib.loads(file.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise ConfigError(f"{file} can't be read: {error}") from None
    project = _table(tables.get("project"))
    points = _table(_table(project.get("entry-points")).get(GROUP))
    values = {plugin: value for plugin, value in points.items() if isinstance(value, str)}
    if not values:
        example = f'[project.entry-points.{GROUP}] with a line such as: weather = "tgllm_weather.plugin"'
        raise ConfigError(f"{file} declares no plugin: add {example}")
    package, version = str(project.get("name", folder.name)), str(project.get("version", _NO_VERSION))
    summary = str(project.get("description", ""))
    found = tuple(FoundPlugin(plugin, package, version, value, summary) for plugin, value in values.items())
    return Source(folder, _root_of(folder, found[0].module), found)


def _root_of(folder: Path, module: str) -> Path:
    top = module.partition(".")[0]
    for base in _bases(folder):
        if (base / f"{top}.py").is_file() or (base / top).is_dir():
            return base
    raise ConfigError(
        f"{folder / _PROJECT} names the module {module}, which is neither in {folder} nor in its folder src"
    )


def _bases(folder: Path) -> Iterator[Path]:
    yield folder / "src"
    yield folder
    with suppress(OSError):
        yield from sorted(each for each in folder.iterdir() if each.is_dir() and not each.name.startswith("."))


def _of_module(file: Path, watched: Path) -> Source:
    parts = [] if file.name == "__init__.py" else [file.stem]
    folder = file.parent
    while (folder / "__init__.py").is_file():
        parts.insert(0, folder.name)
        folder = folder.parent
    plugin = _declared_id(file) or parts[0].removeprefix(_PREFIX)
    package = parts[0].replace("_", "-")
    return Source(watched, folder, (FoundPlugin(plugin, package, _NO_VERSION, ".".join(parts)),))


def _declared_id(file: Path) -> str:
    """Return the id in a module's ``PluginInfo``, without running it; empty if it can't be seen."""
    try:
        tree = ast.parse(file.read_bytes())
    except (OSError, SyntaxError, ValueError):
        return ""
    constants = {
        target.id: node.value
        for node in tree.body
        if isinstance(node, ast.Assign)
        for target in node.targets
        if isinstance(target, ast.Name)
    }
    for node in ast.walk(tree):
        if isinstance(node, ast.Call) and ast.unparse(node.func).split(".")[-1] == "PluginInfo":
            given = [keyword.value for keyword in node.keywords if keyword.arg == "id"] or node.args[:1]
            for value in given:
                known = constants.get(value.id, value) if isinstance(value, ast.Name) else value
                if isinstance(known, ast.Constant) and isinstance(known.value, str):
                    return known.value
    return ""


def _table(value: object) -> Mapping[str, Any]:
    return cast("Mapping[str, Any]", value) if isinstance(value, dict) else {}
