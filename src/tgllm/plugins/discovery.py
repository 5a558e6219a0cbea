"""Discovery of installed plugins by package metadata, without importing them."""

from collections.abc import Iterator
from dataclasses import dataclass
from importlib import metadata

__all__ = ["GROUP", "FoundPlugin", "discover", "package_of"]

GROUP = "tgllm"
"""Entry-point group of plugins."""


@dataclass(frozen=True, slots=True, order=True)
class FoundPlugin:
    """A plugin as declared by its package."""

    id: str
    """Name of the entry point; must equal the id in the plugin's ``PluginInfo``."""
    package: str
    """Name of the distribution, such as ``tgllm-gemini``."""
    version: str
    value: str
    """Object reference of the entry point: ``package.module`` or ``package.module:attribute``."""
    summary: str = ""
    """One-line description of the package."""
    builtin: bool = False

    @property
    def module(self) -> str:
        """Name of the plugin's module; empty if the entry point names none."""
        return self.value.partition(":")[0].strip()

    def load(self) -> object:
        """Import the plugin and return the object. This runs its code, which may raise anything or never return."""
        point = metadata.EntryPoint(self.id, self.value, GROUP)
        if not point.pattern.match(self.value):
            raise ImportError(f"the entry point {self.id} names no module: {self.value!r}")
        return point.load()


def discover() -> list[FoundPlugin]:
    """Return all installed plugins by id, then package; packages with unreadable metadata are skipped.

    Two packages may declare the same id; the host resolves the conflict.
    """
    packages: dict[str, list[FoundPlugin]] = {}
    for distribution in metadata.distributions():
        try:
            found = list(_plugins_of(distribution))
        # This reads the metadata of every installed package, and each kind of damage raises another error.
        except (AttributeError, LookupError, OSError, TypeError, ValueError):
            continue
        # Of several distributions with one name, imports use the first on sys.path.
        if found:
            packages.setdefault(_normalized(found[0].package), found)
    return sorted(plugin for found in packages.values() for plugin in found)


def package_of(point: metadata.EntryPoint) -> str:
    """Return the name of the package of an entry point; its reference if damaged metadata has no name."""
    name: object = None if point.dist is None else point.dist.name
    return name if isinstance(name, str) and name else point.value


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
