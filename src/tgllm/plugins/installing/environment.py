"""Recognition of the environment that tgllm runs in: what manages it, and what can be changed."""

import importlib.util
import os
import shutil
import site
import sys
import sysconfig
from dataclasses import dataclass
from pathlib import Path
from typing import Final, Literal

__all__ = ["Environment", "EnvironmentKind", "Facts", "look", "recognise"]

EnvironmentKind = Literal["pip", "uv", "pipx", "uv-tool", "managed", "image", "none"]
"""``managed``: by the operating system's packages (PEP 668). ``image``: a container's, which can't be changed."""

_CONTAINER_FILES: Final = ("/.dockerenv", "/run/.containerenv")
_CONTAINER_VARIABLES: Final = ("KUBERNETES_SERVICE_HOST", "container")


@dataclass(frozen=True, slots=True)
class Facts:
    """What is known about an environment."""

    prefix: Path
    """Its folder (``sys.prefix``)."""
    python: Path
    is_virtual: bool
    """Whether it is a virtual environment."""
    has_pip: bool
    is_writable: bool
    """Whether packages can be installed into it."""
    managed_note: str | None = None
    """Text of the file ``EXTERNALLY-MANAGED``; None if there is none."""
    is_container: bool = False
    uv: str | None = None
    """Path of the program."""
    pipx: str | None = None
    """Path of the program."""


@dataclass(frozen=True, slots=True)
class Environment:
    """An environment with what changes it."""

    kind: EnvironmentKind
    facts: Facts

    @property
    def title(self) -> str:
        """What it is, for people."""
        names: dict[EnvironmentKind, str] = {
            "pip": "the virtual environment" if self.facts.is_virtual else "the Python environment",
            "uv": "the virtual environment, by uv",
            "pipx": "the environment of pipx",
            "uv-tool": "the environment of uv tool",
            "managed": "the Python of the operating system",
            "image": "the image of a container",
            "none": "the environment",
        }
        return f"{names[self.kind]} {self.facts.prefix}"

    @property
    def tool(self) -> str:
        """Name under which pipx and uv tool know the environment."""
        return self.facts.prefix.name


def look() -> Facts:
    """Return the facts about the environment of this process."""
    prefix = Path(sys.prefix)
    is_virtual = sys.prefix != sys.base_prefix
    return Facts(
        prefix=prefix,
        python=Path(sys.executable),
        is_virtual=is_virtual,
        has_pip=importlib.util.find_spec("pip") is not None,
        is_writable=_is_writable(Path(sysconfig.get_path("purelib")), is_virtual=is_virtual),
        # PEP 668: the file is beside the standard library, and does not count in a virtual environment.
        managed_note=None if is_virtual else _managed_note(Path(sysconfig.get_path("stdlib"))),
        is_container=_is_container(),
        uv=os.environ.get("UV") or shutil.which("uv"),
        pipx=shutil.which("pipx"),
    )


def recognise(facts: Facts) -> Environment:
    """Return the environment that the facts describe."""
    return Environment(_kind(facts), facts)


def _kind(facts: Facts) -> EnvironmentKind:
    if (facts.prefix / "uv-receipt.toml").is_file():
        return "uv-tool"
    if (facts.prefix / "pipx_metadata.json").is_file():
        return "pipx"
    if facts.managed_note is not None:
        return "managed"
    if facts.is_container and not (facts.is_writable and (facts.has_pip or facts.uv)):
        return "image"
    if not facts.is_writable:
        return "none"
    if facts.has_pip:
        return "pip"
    return "uv" if facts.uv or _is_of_uv(facts.prefix) else "none"


def _is_of_uv(prefix: Path) -> bool:
    """Return whether uv has made a virtual environment: it then names its version in ``pyvenv.cfg``."""
    try:
        lines = (prefix / "pyvenv.cfg").read_text(encoding="utf-8").splitlines()
    except (OSError, ValueError):
        return False
    return any(line.partition("=")[0].strip() == "uv" for line in lines)


def _is_writable(folder: Path, *, is_virtual: bool) -> bool:
    # Without a virtual environment, pip falls back to the packages of the user.
    return os.access(folder, os.W_OK) or (not is_virtual and bool(site.ENABLE_USER_SITE))


def _managed_note(folder: Path) -> str | None:
    try:
        text = (folder / "EXTERNALLY-MANAGED").read_text(encoding="utf-8", errors="replace")
    except OSError:
        return None
    _, _, note = text.partition("Error=")
    return note.strip().splitlines()[0] if note.strip() else ""


def _is_container() -> bool:
    return any(map(os.path.exists, _CONTAINER_FILES)) or any(name in os.environ for name in _CONTAINER_VARIABLES)
