"""``python -m tgllm`` takes no code from the current folder."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from plugin_support import write_distribution

MODULES = ("aiogram", "asyncio", "evil", "json", "logging", "pluggy", "pydantic", "sitecustomize", "typer", "typing")
FROM_HERE = "import sys; sys.stderr.write('taken from the current folder: ' + __name__)"


@pytest.fixture
def quick_starts() -> None:
    """Here programs import everything anew."""


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A folder with modules of the names of others, a plugin and a command."""
    modules = dict.fromkeys(MODULES, FROM_HERE)
    points = {"tgllm": {"evil": "evil"}, "tgllm.cli": {"evilcmd": "evil:app"}}
    write_distribution(tmp_path, "evil", points, modules, summary="Evil.")
    info = tmp_path / "evil-1.0.dist-info"
    egg = tmp_path / "other.egg-info"
    egg.mkdir()
    (egg / "PKG-INFO").write_text((info / "METADATA").read_text().replace("evil", "other"))
    (egg / "entry_points.txt").write_text((info / "entry_points.txt").read_text().replace("evil ", "other "))
    return tmp_path


def run(folder: Path, *command: str, **variables: str) -> str:
    environ = {**os.environ, "TGLLM_DATA_DIR": str(folder / "data"), **variables}
    environ.pop("PYTHONPATH", None)
    done = subprocess.run(
        [sys.executable, *command], cwd=folder, env=environ, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    return done.stdout + done.stderr


@pytest.mark.parametrize("start", [["-m", "tgllm"], ["-mtgllm"], ["-Bmtgllm"], ["-W", "error", "-m", "tgllm"]])
def test_neither_modules_nor_plugins_nor_commands(folder: Path, start: list[str]) -> None:
    plugins = run(folder, *start, "plugins", "list")
    shown = run(folder, *start, "--help")

    assert "echo" in plugins
    assert "evil" not in plugins + shown
    assert "other" not in plugins
    assert "current folder: " not in plugins + shown


def test_the_emulator_neither(folder: Path) -> None:
    assert "current folder: " not in run(folder, "-m", "tgllm.testing.emulator", "--help")


def test_the_command_neither(folder: Path) -> None:
    shown = run(folder, str(Path(sys.executable).with_name("tgllm")), "plugins", "list")

    assert "evil" not in shown


def test_python_does_it_by_itself_where_it_is_asked_to(folder: Path) -> None:
    assert "evil" not in run(folder, "-P", "-m", "tgllm", "plugins", "list")
    assert "evil" not in run(folder, "-m", "tgllm", "plugins", "list", PYTHONSAFEPATH="1")


def test_a_program_that_imports_tgllm_keeps_its_path(folder: Path) -> None:
    package = folder / "mine"
    package.mkdir()
    (package / "__init__.py").write_text("import tgllm")
    (package / "__main__.py").write_text("import helper; print(helper.FOUND)")
    (folder / "helper.py").write_text("FOUND = 'found'")
    for name in MODULES:
        (folder / f"{name}.py").unlink()

    assert run(folder, "-m", "mine", "tgllm").strip() == "found"
