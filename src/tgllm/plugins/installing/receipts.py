"""The receipt of uv tool, which holds what the environment was made of."""

import tomllib
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import cast

from packaging.utils import canonicalize_name

from tgllm.plugins.installing.installed import CORE

__all__ = ["core_of", "others_of"]


def core_of(prefix: Path) -> tuple[str, ...]:
    """Return tgllm as it was installed, as words for ``uv tool install``, with the options of that time."""
    found = next((each for each in _requirements(prefix) if _name(each) == CORE), {"name": CORE})
    editable = ("--editable",) if found.get("editable") else ()
    return (*_options(prefix), *editable, _text(found))


def others_of(prefix: Path) -> dict[str, str]:
    """Return the packages that were installed beside tgllm (``--with``), by normalized name."""
    return {_name(each): _text(each) for each in _requirements(prefix) if _name(each) != CORE}


def _receipt(prefix: Path) -> Mapping[str, object]:
    try:
        found: object = tomllib.loads((prefix / "uv-receipt.toml").read_text(encoding="utf-8")).get("tool")
    except (OSError, ValueError):
        return {}
    return cast("Mapping[str, object]", found) if isinstance(found, dict) else {}


def _requirements(prefix: Path) -> Sequence[Mapping[str, object]]:
    found = _receipt(prefix).get("requirements")
    entries = cast("list[object]", found) if isinstance(found, list) else []
    return [cast("Mapping[str, object]", each) for each in entries if isinstance(each, dict)]


def _name(entry: Mapping[str, object]) -> str:
    return canonicalize_name(str(entry.get("name", "")))


def _text(entry: Mapping[str, object]) -> str:
    """Return an entry as a requirement."""
    folder = next((entry[key] for key in ("directory", "editable", "path") if isinstance(entry.get(key), str)), None)
    extras = cast("list[object]", entry["extras"]) if isinstance(entry.get("extras"), list) else []
    name = f"{entry.get('name')}[{','.join(map(str, extras))}]" if extras else str(entry.get("name"))
    if folder is not None:
        return f"{folder}[{','.join(map(str, extras))}]" if extras else str(folder)
    if isinstance(entry.get("git"), str):
        return f"{name} @ git+{entry['git']}"
    if isinstance(entry.get("url"), str):
        return f"{name} @ {entry['url']}"
    return f"{name}{entry.get('specifier') or ''}"


def _options(prefix: Path) -> tuple[str, ...]:
    """Return the places of packages that were named then; all others are settings of uv, which it reads itself."""
    found = _receipt(prefix).get("options")
    options: Mapping[str, object] = cast("Mapping[str, object]", found) if isinstance(found, dict) else {}
    links = cast("list[object]", options["find-links"]) if isinstance(options.get("find-links"), list) else []
    words = [word for link in links for word in ("--find-links", str(link))]
    indexes = cast("list[object]", options["index"]) if isinstance(options.get("index"), list) else []
    for index in indexes:
        entry: Mapping[str, object] = cast("Mapping[str, object]", index) if isinstance(index, dict) else {}
        if isinstance(entry.get("url"), str):
            words += ["--default-index" if entry.get("default") else "--index", str(entry["url"])]
    if options.get("no-index") is True:
        words.append("--no-index")
    return tuple(words)
