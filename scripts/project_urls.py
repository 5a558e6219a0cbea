"""Add the addresses of a repository to every ``pyproject.toml``: ``project_urls.py https://github.com/OWNER/NAME``.

A release runs it, so that the packages, and the bot's notices of errors, name the repository that they come from. The
files in the repository have no address: a fork publishes its own.
"""

import re
import sys
import tomllib
from pathlib import Path

from release import ROOT, packages

ADDRESS = re.compile(r"https://[a-z0-9.-]+/[A-Za-z0-9_.-]+/[A-Za-z0-9_.-]+")
PAGES = {"Source": "", "Issues": "/issues", "Changelog": "/blob/main/CHANGELOG.md"}


def add_urls(text: str, address: str) -> str:
    """Return the text of a ``pyproject.toml`` with the addresses; unchanged if it has some."""
    if "urls" in tomllib.loads(text)["project"]:
        return text
    lines = [f'{name} = "{address}{path}"\n' for name, path in PAGES.items()]
    return f"{text.rstrip()}\n\n[project.urls]\n{''.join(lines)}"


def main(arguments: list[str], root: Path = ROOT) -> int:
    """Rewrite the files; return the exit code."""
    address = arguments[0] if len(arguments) == 1 else ""
    if ADDRESS.fullmatch(address) is None:
        print(f"project_urls: {address!r} is no address like https://github.com/OWNER/NAME", file=sys.stderr)
        return 1
    for folder in packages(root).values():
        path = folder / "pyproject.toml"
        path.write_text(add_urls(path.read_text(encoding="utf-8"), address), encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
