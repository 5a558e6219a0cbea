"""Packages as people name them: a name, a requirement, a file, a folder or an address."""

import os
import tomllib
from dataclasses import dataclass
from pathlib import Path
from typing import Final, cast

from packaging.requirements import InvalidRequirement, Requirement
from packaging.utils import InvalidSdistFilename, InvalidWheelFilename, canonicalize_name, parse_sdist_filename
from packaging.utils import parse_wheel_filename as parse_wheel

from tgllm.api.errors import PluginError
from tgllm.observe.installation import place_of
from tgllm.plugins.installing.installed import CORE

__all__ = ["Wanted", "extras_of", "read_wanted", "refuse_core"]

_ARCHIVES: Final = (".whl", ".tar.gz", ".zip", ".tar.bz2")


@dataclass(frozen=True, slots=True)
class Wanted:
    """A package to install or upgrade."""

    text: str
    """As installers take it."""
    name: str | None
    """Normalized; None if only the installer can know it."""

    @property
    def is_by_name(self) -> bool:
        """Whether it comes from an index."""
        return self.name is not None and self.text.lower().replace("_", "-").replace(".", "-").startswith(self.name)


def read_wanted(text: str) -> Wanted:
    """Return the package that an argument names; one of the clone that tgllm runs from is taken from there.

    Raises:
        PluginError: it names none, or tgllm itself.
    """
    wanted = _read(text.strip())
    refuse_core(wanted.name)
    return wanted


def refuse_core(name: str | None) -> None:
    """Refuse tgllm itself.

    Raises:
        PluginError: the package is tgllm.
    """
    if name == CORE:
        raise PluginError("tgllm itself is no plugin; tgllm upgrade says how to upgrade it")


def extras_of(requirement: Requirement) -> str:
    """Return the extras of a requirement as it has them behind the name; empty for none."""
    return f"[{','.join(sorted(requirement.extras))}]" if requirement.extras else ""


def _read(text: str) -> Wanted:
    if text.startswith("-") or not text.isprintable() or not text:
        raise PluginError(
            f"{text!r} names no package: write a name such as tgllm-weather, a file, a folder or an address"
        )
    if "://" in text.partition("@")[0] or text.startswith("git+"):
        return Wanted(text, _name_of_file(text.partition("#")[0].rpartition("/")[2]))
    path, name = Path(text).expanduser(), text.partition("@")[0]
    if os.sep in name or text.startswith((".", "~")) or name.endswith(_ARCHIVES):
        return _local(text, path)
    try:
        found = Requirement(text)
    except InvalidRequirement as error:
        raise PluginError(f"{text!r} names no package: {str(error).splitlines()[0]}") from None
    name = canonicalize_name(found.name)
    is_bare = not found.specifier and found.url is None and found.marker is None
    return Wanted(place_of(f"{found.name}{extras_of(found)}") if is_bare else text, name)


def _local(text: str, path: Path) -> Wanted:
    if not path.exists():
        raise PluginError(f"there is no {text}: write the path of a wheel, or of the folder of a package")
    if path.is_file():
        return Wanted(str(path.absolute()), _name_of_file(path.name))
    try:
        project: object = tomllib.loads((path / "pyproject.toml").read_text(encoding="utf-8")).get("project", {})
    except OSError:
        if (path / "setup.py").is_file():
            return Wanted(str(path.absolute()), None)
        raise PluginError(f"{text} is no package: it has no pyproject.toml") from None
    except ValueError as error:
        raise PluginError(f"{path / 'pyproject.toml'} can't be read: {error}") from None
    name = cast("dict[str, object]", project).get("name") if isinstance(project, dict) else None
    return Wanted(str(path.absolute()), canonicalize_name(name) if isinstance(name, str) else None)


def _name_of_file(name: str) -> str | None:
    try:
        return parse_wheel(name)[0] if name.endswith(".whl") else parse_sdist_filename(name)[0]
    except (InvalidWheelFilename, InvalidSdistFilename):
        return None
