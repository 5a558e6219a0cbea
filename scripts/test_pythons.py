"""Run the portable tests on each installed Python of a supported version, except for the one that runs this file.

Which tests are portable is said in ``portable.py``; the newest version runs all of them, the others fewer. With
``--quick`` as the first argument only the newest one runs, and the first test of each module in the folders that depend
on the version: for CI that also has a job for each version. With
``--set-up`` before it the environments are made, and no tests run.

Each version has its own virtual environment, ``.venv-3.x``, created and updated as needed. All other arguments are
passed to pytest. Prints which versions ran and which are absent; exits with 1 if the tests fail on any of them.
"""

import os
import subprocess
import sys
from pathlib import Path

from portable import WHOLE
from pythons import SUPPORTED, find

ROOT = Path(__file__).resolve().parent.parent
PLUGINS = ROOT / "plugins"
# Its requirements are large, and only tests with the real model need all of them.
WHISPER = PLUGINS / "tgllm_whisper"


def main(arguments: list[str]) -> int:
    """Test on every other installed Python and print a summary; return the exit code."""
    here = f"{sys.version_info.major}.{sys.version_info.minor}"
    results = {here: "that of .venv"}
    others = {version: find(version, os.environ.get("PATH", os.defpath)) for version in SUPPORTED if version != here}
    newest = next((version for version in reversed(SUPPORTED) if others.get(version)), None)
    only_sets_up = arguments[:1] == ["--set-up"]
    arguments = arguments[only_sets_up:]
    is_quick = arguments[:1] == ["--quick"]
    arguments = arguments[is_quick:]
    if is_quick:
        # Few tests: to collect them takes most of the time of each process, so other folders are not even looked at.
        arguments += ["--numprocesses=3", *WHOLE]
    for version, python in others.items():
        if is_quick and version != newest:
            results[version] = "left out"
            continue
        if only_sets_up:
            results[version] = prepared(version, python)
            continue
        extent = "whole" if version == newest and not is_quick else "first"
        results[version] = test_on(version, python, [f"--portable={extent}", *arguments])
    print(
        "\nPythons:", *(f"  {version}: {result}" for version, result in sorted(results.items())), sep="\n", flush=True
    )
    return int("failed" in results.values())


def test_on(version: str, python: Path | None, arguments: list[str]) -> str:
    """Run the tests on one version and return "passed", "failed" or "absent on this machine"."""
    if python is not None:
        print(f"\nTests on Python {version} ({python})", flush=True)
    if (result := prepared(version, python)) != "ready":
        return result
    return "passed" if run(home_of(version) / "bin" / "python", "-m", "pytest", *arguments) else "failed"


def prepared(version: str, python: Path | None) -> str:
    """Have the environment of a version and return "ready", "failed" or "absent on this machine"."""
    if python is None:
        return "absent on this machine"
    home = home_of(version)
    return "ready" if up_to_date(home) or set_up(home, python) else "failed"


def home_of(version: str) -> Path:
    """Return the folder of the environment of a version."""
    return Path(f".venv-{version}")


def up_to_date(home: Path) -> bool:
    """Return whether the environment is newer than the files that define its packages."""
    stamp = home / ".installed"
    inputs = [ROOT / "pyproject.toml", ROOT / "constraints.txt", *PLUGINS.glob("*/pyproject.toml")]
    return stamp.exists() and all(path.stat().st_mtime <= stamp.stat().st_mtime for path in inputs)


def set_up(home: Path, python: Path) -> bool:
    """Create or update an environment with the pinned dependencies and this repository's packages."""
    inside = home / "bin" / "python"
    pip = [inside, "-m", "pip", "--disable-pip-version-check", "install", "-qq", "--no-warn-conflicts"]
    pip += ["--constraint", "constraints.txt"]
    editable = ["--editable", ".[dev]"]
    for path in sorted({*PLUGINS.glob("tgllm_*")} - {WHISPER}):
        editable += ["--editable", str(path)]
    done = (
        (inside.exists() or run(python, "-m", "venv", home))
        and run(*pip, "hatchling", "editables")
        and run(*pip, "--no-build-isolation", *editable)
        and run(*pip, "--no-build-isolation", "--no-deps", "--editable", WHISPER)
    )
    if done:
        (home / ".installed").touch()
    return done


def run(*command: str | Path) -> bool:
    """Run a command with visible output; return whether it succeeded."""
    return subprocess.run(command, check=False, stdin=subprocess.DEVNULL).returncode == 0


if __name__ == "__main__":
    os.chdir(ROOT)
    sys.exit(main(sys.argv[1:]))
