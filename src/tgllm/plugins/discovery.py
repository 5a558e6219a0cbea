"""Find the plugins that are installed, from package metadata alone: nothing of a plugin is imported here."""

from collections.abc import Iterator
from dataclasses import dataclass
from importlib import metadata

__all__ = ["GROUP", "FoundPlugin", "discover"]

GROUP = "tgllm"
"""The entry-point group of plugins."""


@dataclass(frozen=True, slots=True, order=True)
class FoundPlugin:
    """A plugin as its package announces it."""

    id: str
    """The name of the entry point, which must be the id that the plugin gives itself."""
    package: str
    """The distribution's name, such as ``tgllm-gemini``."""
    version: str
    value: str
    """The object that the entry point refers to: ``package.module`` or ``package.module:attribute``."""
    summary: str = ""
    """One line of what the package is for."""
    builtin: bool = False

    def load(self) -> object:
        """Import the plugin. Runs its code, so it may raise anything or never return."""
        point = metadata.EntryPoint(self.id, self.value, GROUP)
        if not point.pattern.match(self.value):
            raise ImportError(f"the entry point {self.id} names no module: {self.value!r}")
        return point.load()


def discover() -> list[FoundPlugin]:
    """All installed plugins in order of id, then package; packages with unreadable metadata are passed over.

    Two packages may announce the same id; telling who keeps it is the host's part.
    """
    packages: dict[str, list[FoundPlugin]] = {}
    for distribution in metadata.distributions():
        try:
            found = list(_plugins_of(distribution))
        # Any package's are looked at, and each kind of damage raises another error.
        except (AttributeError, LookupError, OSError, TypeError, ValueError):
            continue
        # The first distribution of a name on sys.path is the one that imports would use.
        if found:
            packages.setdefault(_normalized(found[0].package), found)
    return sorted(plugin for found in packages.values() for plugin in found)


def _plugins_of(distribution: metadata.Distribution) -> Iterator[FoundPlugin]:
    points = distribution.entry_points.select(group=GROUP)
    if not points:
        return
    about = distribution.metadata
    package, version, summary = (_header(about, name) for name in ("Name", "Version", "Summary"))
    for point in points:
        yield FoundPlugin(point.name, package, version, point.value, summary)


def _normalized(name: str) -> str:
    return name.lower().replace("_", "-").replace(".", "-")


def _header(about: metadata.PackageMetadata, name: str) -> str:
    values = about.get_all(name) or [""]
    return str(values[0])
