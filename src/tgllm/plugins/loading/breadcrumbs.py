"""Which plugin is being loaded, in a file: a plugin that ends the process while it is loaded leaves it behind.

Each process writes a file of its own and holds a lock on it. The operating system releases the lock when the process
ends, so a file that can be locked is from a process that has died. How often that has happened with a plugin is kept
until the plugin is loaded, or another version of it is installed.
"""

import fcntl
import json
import os
from collections.abc import Collection, Iterator, Mapping
from contextlib import suppress
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Final, Self, cast

from tgllm.plugins.discovery import FoundPlugin

__all__ = ["MOST_DEATHS", "Breadcrumbs", "Death"]

MOST_DEATHS: Final = 2
"""After so many deaths in a row a plugin is left out."""
_PREFIX: Final = "loading."
_DEATHS: Final = "loading-failures.json"


@dataclass(frozen=True, slots=True)
class Death:
    """A plugin that was being loaded when a process ended."""

    plugin_id: str
    package: str
    version: str
    times: int = 1
    """How often in a row; also ``MOST_DEATHS`` if a person has decided to leave it out after the first time."""

    @classmethod
    def of(cls, found: FoundPlugin) -> Self:
        """Return what is noted while a plugin is loaded."""
        return cls(found.id, found.package, found.version)

    def is_of(self, found: FoundPlugin) -> bool:
        """Whether an installed plugin is the one that ended a process, in the same version."""
        return replace(self, times=1) == Death.of(found)

    @property
    def is_left_out(self) -> bool:
        """Whether the plugin is no longer loaded without a question."""
        return self.times >= MOST_DEATHS

    @property
    def reason(self) -> str:
        """What has happened, and what to do, as one sentence."""
        return (
            f"earlier starts have ended while {self.plugin_id} was loaded, so it is left out: upgrade or uninstall "
            f"{self.package}, or try it again with tgllm plugins retry {self.plugin_id}"
        )


class Breadcrumbs:
    """The files in the data folder. A folder that can't be written is no failure: then nothing is noted."""

    def __init__(self, folder: Path) -> None:
        """Create an object without a file; ``folder`` is the data folder. Each method blocks for a moment."""
        self._folder = folder
        self._file: int | None = None
        self._path = folder / f"{_PREFIX}{os.getpid()}"
        self._known: Collection[str] | None = None
        """Plugins with deaths, when ``deaths`` was last called."""

    def deaths(self) -> Mapping[str, Death]:
        """Return the plugins that ended a process, by id; those of processes that have died since are added."""
        known = self._stored()
        found = [death for path in self._leftovers() if (death := _take(path)) is not None]
        for death in found:
            before = known.get(death.plugin_id)
            is_again = before is not None and replace(before, times=1) == death
            known[death.plugin_id] = replace(death, times=before.times + 1 if before and is_again else 1)
        if found:
            self._store(known)
        self._known = frozenset(known)
        return known

    def begin(self, found: FoundPlugin) -> None:
        """Note that a plugin is being loaded."""
        with suppress(OSError):
            if self._file is None:
                self._file = os.open(self._path, os.O_RDWR | os.O_CREAT, 0o600)
                fcntl.flock(self._file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            _write(self._file, json.dumps(asdict(Death.of(found))).encode())

    def end(self, plugin_id: str) -> None:
        """Note that the process has survived a plugin."""
        with suppress(OSError):
            if self._file is not None:
                _write(self._file, b"")
        if self._known is None or plugin_id in self._known:
            self.forget(plugin_id)

    def leave_out(self, death: Death) -> None:
        """Have a plugin left out by the next starts."""
        self._store({**self._stored(), death.plugin_id: replace(death, times=max(death.times, MOST_DEATHS))})

    def forget(self, plugin_id: str) -> bool:
        """Forget the deaths of a plugin; return False if there are none."""
        known = self._stored()
        if known.pop(plugin_id, None) is None:
            return False
        self._store(known)
        return True

    def close(self) -> None:
        """Remove the file of this process."""
        if self._file is not None:
            with suppress(OSError):
                self._path.unlink()
            os.close(self._file)
            self._file = None

    def _leftovers(self) -> Iterator[Path]:
        with suppress(OSError):
            for entry in sorted(self._folder.iterdir()):
                if entry.name.removeprefix(_PREFIX).isdecimal() and entry.name.startswith(_PREFIX):
                    yield entry

    def _stored(self) -> dict[str, Death]:
        try:
            stored: object = json.loads((self._folder / _DEATHS).read_text(encoding="utf-8"))
        except (OSError, ValueError):
            return {}
        entries = cast("list[object]", stored) if isinstance(stored, list) else []
        return {death.plugin_id: death for entry in entries if (death := _read(entry)) is not None}

    def _store(self, deaths: Mapping[str, Death]) -> None:
        path = self._folder / _DEATHS
        fresh = path.with_suffix(f".{os.getpid()}")
        with suppress(OSError):
            if deaths:
                fresh.write_text(json.dumps([asdict(death) for death in deaths.values()]), encoding="utf-8")
                fresh.replace(path)
            else:
                path.unlink()


def _take(path: Path) -> Death | None:
    """Remove the file of a process that has died, and return what it was loading; None if the process lives."""
    try:
        file = os.open(path, os.O_RDWR)
    except OSError:
        return None
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        content = os.pread(file, 4096, 0)
        path.unlink()
        return _read(json.loads(content)) if content else None
    except (OSError, ValueError):
        return None
    finally:
        os.close(file)


def _read(entry: object) -> Death | None:
    if not isinstance(entry, dict):
        return None
    values = cast("dict[str, object]", entry)
    texts = [values.get(name) for name in ("plugin_id", "package", "version")]
    times = values.get("times")
    if not isinstance(times, int) or not all(isinstance(text, str) for text in texts):
        return None
    return Death(*cast("list[str]", texts), times=times)


def _write(file: int, content: bytes) -> None:
    os.ftruncate(file, 0)
    os.pwrite(file, content, 0)
