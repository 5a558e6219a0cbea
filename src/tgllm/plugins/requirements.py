"""Which versions of tgllm the package of a plugin allows, by its metadata."""

from importlib import metadata

from packaging.requirements import InvalidRequirement, Requirement
from packaging.specifiers import SpecifierSet
from packaging.version import InvalidVersion, Version

__all__ = ["allowed_versions", "is_version"]

_CORE = "tgllm"


def is_version(text: str) -> bool:
    """Return whether a text is a version of a package, such as ``1.2`` or ``2.0rc1``."""
    try:
        Version(text)
    except InvalidVersion:
        return False
    return True


def allowed_versions(package: str) -> SpecifierSet | None:
    """Return the versions of tgllm that an installed package allows; None if it doesn't say.

    Requirements of extras and of other systems don't count.
    """
    try:
        lines = metadata.requires(package) or []
    except (metadata.PackageNotFoundError, OSError, ValueError):
        return None
    found: list[SpecifierSet] = []
    for line in lines:
        try:
            requirement = Requirement(line)
        except InvalidRequirement:
            continue
        is_core = requirement.name.lower().replace("_", "-") == _CORE
        if is_core and (requirement.marker is None or requirement.marker.evaluate({"extra": ""})):
            found.append(requirement.specifier)
    if not found:
        return None
    return SpecifierSet(",".join(str(each) for each in found))
