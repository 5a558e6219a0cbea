"""Where tgllm was installed from, for commands that install more of it."""

import json
import shlex
from functools import cache
from importlib import metadata
from pathlib import Path
from typing import Any, cast
from urllib.parse import unquote, urlsplit

__all__ = ["clone_folder", "install_command", "place_of"]

_CORE = "tgllm"


def install_command(*requirements: str) -> str:
    """Return the shell command that installs requirements.

    If tgllm was installed from a clone, its other packages are installed from there too: they may be on no index, where
    a package of somebody else could have their names.
    """
    return " ".join(("pip install", *(shlex.quote(place_of(each)) for each in requirements)))


def place_of(requirement: str) -> str:
    """Return a requirement as pip takes it: a folder of the clone, if there is one, or else as it is."""
    clone = clone_folder()
    if clone is None:
        return requirement
    name, bracket, extras = requirement.partition("[")
    if name == _CORE:
        return f"{clone}{bracket}{extras}"
    folder = clone / "plugins" / name.replace("-", "_")
    return str(folder) if name.startswith(f"{_CORE}-") and (folder / "pyproject.toml").is_file() else requirement


@cache
def clone_folder() -> Path | None:
    """Return the folder of the sources that tgllm was installed from; None for an index or a wheel. See PEP 610."""
    try:
        found: object = json.loads(metadata.distribution(_CORE).read_text("direct_url.json") or "null")
    except (metadata.PackageNotFoundError, OSError, ValueError):
        return None
    if not isinstance(found, dict):
        return None
    origin = cast("dict[str, Any]", found)
    url = urlsplit(str(origin.get("url", "")))
    folder = Path(unquote(url.path))
    is_folder = url.scheme == "file" and "dir_info" in origin and (folder / "pyproject.toml").is_file()
    return folder if is_folder else None
