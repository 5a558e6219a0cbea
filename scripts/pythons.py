"""Search for Python interpreters that can run the project, one of each supported version."""

import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

SUPPORTED = ("3.11", "3.12", "3.13", "3.14")
PROBE = "import ensurepip, sys, venv; print('%d.%d' % sys.version_info[:2])"
PROBE_SECONDS = 30


def find(version: str, search_path: str) -> Path | None:
    """Return the first Python of that version (such as "3.12") that runs and can create virtual environments."""
    return next((python for python in candidates(version, search_path) if runs(python, version)), None)


def candidates(version: str, search_path: str) -> Iterator[Path]:
    """Yield possible interpreters: those on the search path, then those of pyenv."""
    for folder in search_path.split(os.pathsep):
        if folder and (python := Path(folder) / f"python{version}").is_file():
            yield python
    if pyenv := shutil.which("pyenv", path=search_path):
        yield from pyenv_candidates(pyenv, version)


def pyenv_candidates(pyenv: str, version: str) -> Iterator[Path]:
    """Yield the interpreters of pyenv; its shims on the search path fail for versions that are not selected."""
    for name in output(pyenv, "versions", "--bare").split():
        if name.startswith(f"{version}.") and (prefix := output(pyenv, "prefix", name)):
            yield Path(prefix) / "bin" / f"python{version}"


def runs(python: Path, version: str) -> bool:
    """Return whether the file is a Python of that version with venv; a pyenv shim may not be."""
    return output(str(python), "-c", PROBE) == version


def output(*command: str) -> str:
    """Run a command and return its stripped output; empty if it fails."""
    try:
        done = subprocess.run(
            command, capture_output=True, text=True, timeout=PROBE_SECONDS, check=False, stdin=subprocess.DEVNULL
        )
    except (OSError, subprocess.TimeoutExpired):
        return ""
    return done.stdout.strip() if done.returncode == 0 else ""


def main() -> None:
    """Print each supported version with the path of its Python, or ``absent``."""
    for version in SUPPORTED:
        print(version, find(version, os.environ.get("PATH", os.defpath)) or "absent", sep="\t")


if __name__ == "__main__":
    sys.exit(main())
