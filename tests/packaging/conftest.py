"""Wheels built once, and fresh virtual environments to install them into."""

import json
import os
import shutil
import subprocess
import sys
import zipfile
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).resolve().parents[2]
LEFT_OUT = (".git", ".venv*", "__pycache__", ".*_cache", ".coverage*", ".hypothesis", "dist", "build", "htmlcov")
MINUTES = 60.0


@dataclass(frozen=True)
class Environment:
    """A virtual environment of its own, apart from the one that runs the tests."""

    path: Path

    def run(self, *command: str | Path, check: bool = True, **variables: str) -> "subprocess.CompletedProcess[str]":
        """Run one of its commands, in its own folder, with only these of tgllm's environment variables."""
        program, *arguments = command
        return subprocess.run(
            [self.path / "bin" / program, *arguments],
            cwd=self.path, env=clean_variables(self.path) | variables, stdin=subprocess.DEVNULL,
            capture_output=True, text=True, timeout=5 * MINUTES, check=check,
        )  # fmt: skip

    def packages(self) -> set[str]:
        """The names of what is installed, as the index spells them."""
        lines = self.run("python", "-m", "pip", "list", "--format=freeze").stdout.splitlines()
        return {line.partition("==")[0].lower().replace("_", "-") for line in lines}

    def plugins(self) -> dict[str, Any]:
        """What ``tgllm plugins list --json`` tells, by plugin id."""
        told = json.loads(self.run("tgllm", "plugins", "list", "--json").stdout)
        return {entry["plugin"]: entry for entry in told}


Install = Callable[..., Environment]


@pytest.fixture(scope="session")
def tree(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A copy of the repository, as fresh as a clone; nothing that is built or installed touches the original."""
    root = tmp_path_factory.mktemp("fresh") / "tgllm"
    shutil.copytree(ROOT, root, ignore=shutil.ignore_patterns(*LEFT_OUT))
    return root


@pytest.fixture(scope="session")
def wheels(tree: Path, tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """The wheel of each package, each made from its source distribution, as a release would."""
    folder = tmp_path_factory.mktemp("wheels")
    built: dict[str, Path] = {}
    projects = {"tgllm": tree} | {path.name: path for path in sorted(tree.glob("plugins/tgllm_*"))}
    projects |= {path.name.replace("-", "_"): path for path in sorted(tree.glob("examples/tgllm-*"))}
    for name, project in projects.items():
        command = [sys.executable, "-m", "build", "--no-isolation", "--outdir", folder, project]
        done = subprocess.run(command, capture_output=True, text=True, timeout=2 * MINUTES, check=False)
        assert done.returncode == 0, done.stdout + done.stderr
        (built[name],) = folder.glob(f"{name}-*.whl")
    return built


@pytest.fixture(scope="session")
def files(wheels: dict[str, Path]) -> dict[str, set[str]]:
    """What each wheel holds."""
    return {name: set(zipfile.ZipFile(wheel).namelist()) for name, wheel in wheels.items()}


@pytest.fixture(scope="session")
def install(wheels: dict[str, Path], tmp_path_factory: pytest.TempPathFactory) -> Install:
    """Installs packages, each a wheel or a folder, into a fresh environment; tgllm itself is found among the wheels."""

    def make(*packages: str | Path) -> Environment:
        environment = Environment(tmp_path_factory.mktemp("environment"))
        subprocess.run([sys.executable, "-m", "venv", environment.path], check=True, timeout=MINUTES)
        pip = [
            "-m",
            "pip",
            "--disable-pip-version-check",
            "install",
            "-qq",
            "--no-compile",
            "--constraint",
            ROOT / "constraints.txt",
        ]
        done = environment.run(
            "python", *pip, "--find-links", next(iter(wheels.values())).parent, *packages, check=False
        )
        assert done.returncode == 0, done.stdout + done.stderr
        return environment

    return make


@pytest.fixture(scope="session")
def core(install: Install, wheels: dict[str, Path]) -> Environment:
    """An environment with the core alone."""
    return install(wheels["tgllm"])


@pytest.fixture(scope="session")
def author(install: Install, wheels: dict[str, Path]) -> Environment:
    """An environment of an author of plugins: the core with its kit for tests, the examples, and a plugin of llm."""
    examples = [f"{wheels[name]}[test]" for name in ("tgllm_parrot", "tgllm_remind")]
    return install(f"{wheels['tgllm']}[testing]", *examples, wheels["tgllm_llm"], "llm-echo", "hatchling")


def clean_variables(home: Path) -> dict[str, str]:
    """The variables of this process without its own environment's and tgllm's, and with a home folder of its own."""
    dropped = ("TGLLM_", "VIRTUAL_ENV", "PYTHON", "COV", "PYTEST", "GEMINI_", "MISTRAL_", "DEEPSEEK_")
    kept = {name: value for name, value in os.environ.items() if not name.startswith(dropped)}
    return kept | {"XDG_CONFIG_HOME": str(home / "config"), "XDG_DATA_HOME": str(home / "data")}
