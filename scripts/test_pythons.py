"""Run the tests on each supported Python of this machine, apart from the one that runs this file.

Each has a virtual environment of its own, ``.venv-3.x``, made and brought up to date as needed. Every argument
goes to pytest. Exits with 1 if the tests fail on any of them; says which versions ran and which are absent.
"""

import os
import subprocess
import sys
from pathlib import Path

from pythons import SUPPORTED, find

ROOT = Path(__file__).resolve().parent.parent
PLUGINS = ROOT / "plugins"
ONCE = ("-m", "not once and not packaging and not real_model")


def main(arguments: list[str]) -> int:
    """Test on every other Python that is present, and sum up."""
    here = f"{sys.version_info.major}.{sys.version_info.minor}"
    results = {here: "ran before this, in .venv"}
    for version in SUPPORTED:
        if version != here:
            results[version] = test_on(version, arguments)
    print(
        "\nPythons:", *(f"  {version}: {result}" for version, result in sorted(results.items())), sep="\n", flush=True
    )
    return int("failed" in results.values())


def test_on(version: str, arguments: list[str]) -> str:
    """Run the tests on one version: "passed", "failed" or "absent on this machine"."""
    python = find(version, os.environ.get("PATH", os.defpath))
    if python is None:
        return "absent on this machine"
    print(f"\nTests on Python {version} ({python})", flush=True)
    home = Path(f".venv-{version}")
    if not up_to_date(home) and not set_up(home, python):
        return "failed"
    # The first Python has run what says the same on all of them.
    return "passed" if run(home / "bin" / "python", "-m", "pytest", *ONCE, *arguments) else "failed"


def up_to_date(home: Path) -> bool:
    """Whether the environment was installed after the last change of what it is made from."""
    stamp = home / ".installed"
    inputs = [ROOT / "pyproject.toml", ROOT / "constraints.txt", *PLUGINS.glob("*/pyproject.toml")]
    return stamp.exists() and all(path.stat().st_mtime <= stamp.stat().st_mtime for path in inputs)


def set_up(home: Path, python: Path) -> bool:
    """Make or renew an environment with the pinned tools and this repository's packages in it."""
    inside = home / "bin" / "python"
    pip = [inside, "-m", "pip", "--disable-pip-version-check", "install", "-qq", "--constraint", "constraints.txt"]
    editable = ["--editable", ".[dev]"]
    for path in sorted(PLUGINS.glob("tgllm_*")):
        editable += ["--editable", str(path)]
    done = (
        (inside.exists() or run(python, "-m", "venv", home))
        and run(*pip, "hatchling", "editables")
        and run(*pip, "--no-build-isolation", *editable)
    )
    if done:
        (home / ".installed").touch()
    return done


def run(*command: str | Path) -> bool:
    """Run a command in sight of the user, and tell whether it succeeded."""
    return subprocess.run(command, check=False, stdin=subprocess.DEVNULL).returncode == 0


if __name__ == "__main__":
    os.chdir(ROOT)
    sys.exit(main(sys.argv[1:]))
