"""Installed packages: their versions, what tgllm needs of them, and which of them have plugins."""

import importlib
from collections.abc import Collection, Iterator, Mapping
from importlib import metadata

from packaging.requirements import InvalidRequirement, Requirement
from packaging.utils import canonicalize_name

from tgllm.plugins.discovery import GROUP

__all__ = ["CORE", "changes", "dependents", "installed_versions", "needed_by_core", "plugin_ids"]

CORE = "tgllm"
_GROUPS = (GROUP, "tgllm.cli")


def installed_versions() -> dict[str, str]:
    """Return the versions of all installed packages by normalized name; called again, it sees changes."""
    importlib.invalidate_caches()
    found: dict[str, str] = {}
    for distribution in metadata.distributions():
        # Damaged metadata has neither.
        name, version = _header(distribution, "Name"), _header(distribution, "Version")
        if name and version:
            found.setdefault(canonicalize_name(name), version)
    return found


def needed_by_core(versions: Mapping[str, str]) -> dict[str, str]:
    """Return the installed packages that tgllm needs, with their versions, and tgllm itself.

    Those of its extras count too.

    Args:
        versions: all installed packages.
    """
    found, waiting = dict[str, str](), [CORE]
    while waiting:
        name = waiting.pop()
        if name in found or name not in versions:
            continue
        found[name] = versions[name]
        waiting += [canonicalize_name(each.name) for each in _requirements(name, extras=name == CORE)]
    return found


def dependents(name: str, versions: Collection[str]) -> list[str]:
    """Return the installed packages that require a package."""
    return sorted(
        other
        for other in versions
        if other != name and any(canonicalize_name(each.name) == name for each in _requirements(other))
    )


def plugin_ids(name: str) -> tuple[str, ...]:
    """Return the ids of the plugins in an installed package, and ``tgllm NAME`` for each shell command that it adds."""
    try:
        points = metadata.distribution(name).entry_points
    except (metadata.PackageNotFoundError, OSError, ValueError):
        return ()
    return tuple(
        point.name if group == GROUP else f"tgllm {point.name}"
        for group in _GROUPS
        for point in points.select(group=group)
    )


def changes(before: Mapping[str, str], after: Mapping[str, str]) -> dict[str, tuple[str | None, str | None]]:
    """Return the versions of each package that differs; None where it is not installed."""
    names = sorted({*before, *after})
    return {name: (before.get(name), after.get(name)) for name in names if before.get(name) != after.get(name)}


def _requirements(name: str, *, extras: bool = False) -> Iterator[Requirement]:
    try:
        lines = metadata.requires(name) or []
        given = metadata.metadata(name).get_all("Provides-Extra") or [] if extras else []
    except (metadata.PackageNotFoundError, OSError, ValueError):
        return
    for line in lines:
        try:
            found = Requirement(line)
        except InvalidRequirement:
            continue
        if found.marker is None or any(found.marker.evaluate({"extra": extra}) for extra in ("", *given)):
            yield found


def _header(distribution: metadata.Distribution, name: str) -> str:
    try:
        return str((distribution.metadata.get_all(name) or [""])[0])
    except (OSError, ValueError, TypeError, AttributeError):
        return ""
