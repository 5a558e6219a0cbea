"""Checks and facts of the package of a plugin, from its metadata and its files; nothing is imported."""

import importlib.util
from collections.abc import Iterator
from dataclasses import dataclass
from importlib import metadata
from pathlib import Path

from tgllm import __version__
from tgllm.api.context import Check
from tgllm.plugins.discovery import GROUP, FoundPlugin
from tgllm.plugins.requirements import allowed_versions
from tgllm.services.errors.origins import plain_label, tracker_of

__all__ = ["About", "about", "check_package"]


@dataclass(frozen=True, slots=True)
class About:
    """What a package says about itself; empty where it says nothing."""

    author: str = ""
    licence: str = ""
    home_page: str = ""
    issues: str = ""
    summary: str = ""


def about(package: str) -> About:
    """Return the facts in the metadata of an installed package."""
    try:
        found = metadata.metadata(package)
        values = {name: [str(value).strip() for value in found.get_all(name) or ()] for name in _HEADERS}
    except (metadata.PackageNotFoundError, OSError, ValueError):
        return About()
    first = {name: next((value for value in each if value and value != "UNKNOWN"), "") for name, each in values.items()}
    licences = [each.rpartition(" :: ")[2] for each in values["Classifier"] if each.startswith("License ::")]
    urls = dict(map(_labelled, values["Project-URL"]))
    home = next((urls[label] for label in _HOME if label in urls), "") or first["Home-page"]
    return About(
        author=first["Author"] or first["Author-email"] or first["Maintainer"] or first["Maintainer-email"],
        licence=first["License-Expression"] or first["License"].partition("\n")[0] or ", ".join(licences),
        home_page=home or next(iter(urls.values()), ""),
        issues=tracker_of(package),
        summary=first["Summary"],
    )


def check_package(found: FoundPlugin) -> Iterator[Check]:
    """Yield the checks of a plugin's package: its entry point, its requirement of tgllm, its types, its metadata."""
    yield _entry_point(found)
    yield _requirement(found)
    yield _types(found)
    said = about(found.package)
    lacking = [name for name, value in (("licence", said.licence), ("author", said.author)) if not value]
    lacking += [] if said.home_page else ["address ([project.urls] in its pyproject.toml)"]
    if lacking:
        yield Check("Metadata", "warning", f"its package names no {', no '.join(lacking)}")
    else:
        yield Check("Metadata", "ok", f"{said.licence}, {said.author}, {said.home_page}")


def _entry_point(found: FoundPlugin) -> Check:
    others = [point.name for point in metadata.entry_points(group=GROUP) if point.value == found.value]
    if len(others) > 1:
        return Check("Entry point", "warning", f"{found.value} has several ids: {', '.join(others)}")
    return Check("Entry point", "ok", f"{found.id} = {found.value}")


def _requirement(found: FoundPlugin) -> Check:
    allowed = allowed_versions(found.package)
    if allowed is None:
        words = "its package doesn't require tgllm: add tgllm>=1 to its dependencies"
        return Check("Requires", "warning", f"{words}, so that installers find a version that fits")
    if not allowed.contains(__version__, prereleases=True):
        return Check(
            "Requires", "failed", f"it is for tgllm {allowed}, and this is {__version__}: install another version of it"
        )
    return Check("Requires", "ok", f"tgllm {allowed}" if str(allowed) else "any version of tgllm")


def _types(found: FoundPlugin) -> Check:
    top = found.module.partition(".")[0]
    try:
        spec = importlib.util.find_spec(top)
    except (ImportError, ValueError):
        spec = None
    folders = list(spec.submodule_search_locations or ()) if spec is not None else []
    if spec is None:
        return Check("Types", "warning", f"there is no module {top}")
    if not folders:
        return Check("Types", "ok", "a single module, which can't be marked as typed")
    if any((Path(folder) / "py.typed").is_file() for folder in folders):
        return Check("Types", "ok", "marked as typed")
    return Check("Types", "warning", f"{top} has no py.typed: type checkers ignore its annotations")


def _labelled(entry: str) -> tuple[str, str]:
    label, _, url = entry.partition(",")
    return plain_label(label), url.strip()


_HEADERS = (
    "Author", "Author-email", "Classifier", "Home-page", "License", "License-Expression", "Maintainer",
    "Maintainer-email", "Project-URL", "Summary",
)  # fmt: skip
_HOME = ("homepage", "home", "website", "repository", "source", "sourcecode", "github", "documentation")
