"""Check the tag of a release, and print its package, version, folder and whether it is final as ``key=value`` lines.

A tag is the package, ``-v`` and the version: ``tgllm-gemini-v1.0.0``. It has to be the version in the package's
``pyproject.toml``; the core also needs it in ``src/tgllm/__init__.py`` and as a section of the changelog.
"""

import re
import sys
import tomllib
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
CORE = "tgllm"
# Only final versions and pre-releases as the package index writes them; a tag ends up in the command line of a shell.
TAG = re.compile(r"(?P<package>tgllm(-[a-z]+)?)-v(?P<version>\d+\.\d+\.\d+((a|b|rc)\d+)?)")


class WrongTag(Exception):
    """Tag from which nothing can be released; the text says why."""


def packages(root: Path = ROOT) -> dict[str, Path]:
    """Return the folders of all packages by name."""
    folders = [root, *sorted((root / "plugins").glob("tgllm_*"))]
    return {_project(folder)["name"]: folder for folder in folders}


def release(tag: str, root: Path = ROOT) -> dict[str, str]:
    """Return package, version and folder of a tag, and ``final``: ``true``, or ``false`` for a pre-release.

    Raises:
        WrongTag: the tag names no package or another version than the files.
    """
    match = TAG.fullmatch(tag)
    if match is None:
        raise WrongTag(f"{tag!r} is no tag of a release; write it like tgllm-gemini-v1.0.0")
    package, version = match["package"], match["version"]
    folder = packages(root).get(package)
    if folder is None:
        raise WrongTag(f"there is no package {package}")
    for place, found in _versions(package, folder):
        if found != version:
            raise WrongTag(f"the tag says {version}, but {place} says {found}")
    if package == CORE and f"\n## [{version}]" not in (root / "CHANGELOG.md").read_text(encoding="utf-8"):
        raise WrongTag(f"CHANGELOG.md has no section [{version}]")
    is_final = re.search("[a-z]", version) is None
    return {
        "package": package,
        "version": version,
        "folder": str(folder.relative_to(root)),
        "final": "true" if is_final else "false",
    }


def _versions(package: str, folder: Path) -> Iterator[tuple[str, str]]:
    yield f"{folder.name}/pyproject.toml", _project(folder)["version"]
    if package == CORE:
        source = (folder / "src" / "tgllm" / "__init__.py").read_text(encoding="utf-8")
        found = re.search(r'^__version__ = "(.+)"$', source, re.MULTILINE)
        yield "src/tgllm/__init__.py", found[1] if found else "nothing"


def _project(folder: Path) -> dict[str, str]:
    return tomllib.loads((folder / "pyproject.toml").read_text(encoding="utf-8"))["project"]


def main(arguments: list[str]) -> int:
    """Print what a tag releases; return the exit code."""
    try:
        found = release(arguments[0] if len(arguments) == 1 else "")
    except WrongTag as error:
        print(f"release: {error}", file=sys.stderr)
        return 1
    print(*(f"{key}={value}" for key, value in found.items()), sep="\n")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
