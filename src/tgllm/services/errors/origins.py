"""Whose code has failed: name, version, and where to report it, from the metadata of installed packages."""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from functools import cache
from importlib import metadata
from typing import Final

import tgllm

__all__ = ["Origin", "Origins", "plain_label", "tracker_of"]

_LABELS: Final = (
    ("bugtracker", "issues", "issuetracker", "bugreports", "bugs", "tracker", "issue", "reportabug", "reportissues"),
    ("support", "help", "contact", "discussions"),
    ("repository", "source", "sourcecode", "github", "code", "gitlab", "codeberg"),
    ("homepage", "home", "website", "documentation", "docs"),
)
"""Labels of project URLs, the best ones first. Python packaging user guide: Well-known Project URLs."""
_MOST_URL: Final = 200


@dataclass(frozen=True, slots=True)
class Origin:
    """A plugin or the program itself."""

    name: str
    """Name of the package."""
    version: str
    url: str = ""
    """Where to report errors; empty if the package does not say."""
    is_plugin: bool = False


class Origins:
    """Origins by plugin id. Metadata is read when it is first needed."""

    def __init__(self, packages: Callable[[], Mapping[str, tuple[str, str]]], *, program: str = "tgllm") -> None:
        """Create the collection.

        Args:
            packages: returns package and version of each plugin that is no part of the program, by plugin id.
            program: the package of the program itself.
        """
        self._packages = packages
        self._program = program

    def of(self, plugin: str | None) -> Origin:
        """Return the origin of an error; None is the program, as are the built-in plugins."""
        found = None if plugin is None else self._packages().get(plugin)
        if found is None:
            return Origin(self._program, tgllm.__version__, tracker_of(self._program))
        package, version = found
        return Origin(package or str(plugin), version, tracker_of(package), is_plugin=True)

    def versions(self) -> Mapping[str, str]:
        """Return the versions of all plugins by id."""
        return {plugin: version for plugin, (_, version) in self._packages().items()}


@cache
def tracker_of(package: str) -> str:
    """Return the address where errors of an installed package are reported; empty if its metadata has none."""
    try:
        about = metadata.metadata(package)
        urls = [str(value) for value in about.get_all("Project-URL") or ()]
        home = [f"homepage, {value}" for value in about.get_all("Home-page") or ()]
    # Each kind of damaged metadata raises another error, and an error report must not fail because of it.
    except Exception:  # noqa: BLE001  damaged metadata may raise anything
        return ""
    return _best([*urls, *home])


def plain_label(label: str) -> str:
    """Return the label of a project URL in small letters and digits, as labels are compared."""
    return "".join(letter for letter in label.lower() if letter.isalnum())


def _best(urls: Iterable[str]) -> str:
    by_label: dict[str, str] = {}
    for entry in urls:
        label, _, url = entry.partition(",")
        url = url.strip()
        if url.startswith(("https://", "http://")) and len(url) <= _MOST_URL and url.isprintable() and " " not in url:
            by_label.setdefault(plain_label(label), url)
    known = (by_label[label] for labels in _LABELS for label in labels if label in by_label)
    return next(known, "")
