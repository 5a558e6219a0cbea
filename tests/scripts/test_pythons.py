"""Which Pythons count as present, and what an unfit one is told."""

import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

import check_python
import pythons

HERE = f"{sys.version_info.major}.{sys.version_info.minor}"
Command = Callable[[str, str], Path]


@pytest.fixture
def command(tmp_path: Path) -> Command:
    """Makes a command of that name from a shell script, in a folder of its own."""

    def make(name: str, script: str) -> Path:
        path = tmp_path / str(len(list(tmp_path.iterdir()))) / name
        path.parent.mkdir()
        path.write_text(f"#!/bin/sh\n{script}\n")
        path.chmod(0o755)
        return path

    return make


def search_path(*commands: Path) -> str:
    return os.pathsep.join(str(path.parent) for path in commands)


def test_a_python_that_runs_is_found(command: Command) -> None:
    python = command("python3.12", "echo 3.12")

    assert pythons.find("3.12", search_path(python)) == python


def test_a_shim_that_fails_gives_way_to_the_next(command: Command) -> None:
    shim = command("python3.12", "echo 'not selected' >&2; exit 127")
    python = command("python3.12", "echo 3.12")

    assert pythons.find("3.12", search_path(shim, python)) == python


def test_a_python_of_another_version_is_none(command: Command) -> None:
    assert pythons.find("3.12", search_path(command("python3.12", "echo 3.10"))) is None


def test_what_pyenv_keeps_is_found(command: Command) -> None:
    python = command("python3.13", "echo 3.13")
    kept = python.parent / "3.13.0" / "bin"
    kept.mkdir(parents=True)
    python = python.rename(kept / "python3.13")
    pyenv = command(
        "pyenv",
        f'case "$1 $2" in "versions --bare") echo 3.1.3; echo 3.13.0;; "prefix 3.13.0") echo {kept.parent};; esac',
    )

    assert pythons.find("3.13", search_path(pyenv)) == python
    assert pythons.find("3.12", search_path(pyenv)) is None


def test_this_python_is_fit(command: Command) -> None:
    python = command(f"python{HERE}", f'exec {sys.executable} "$@"')

    assert check_python.complaint() == ""
    assert pythons.runs(python, HERE)


def test_an_old_python_is_told_in_a_sentence(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "version_info", (3, 9, 2))

    assert "needs Python 3.11 or newer" in check_python.complaint()
    assert "is 3.9." in check_python.complaint()


@pytest.mark.parametrize("name", ["venv", "ensurepip"])
def test_a_python_without_venv_is_told_in_a_sentence(monkeypatch: pytest.MonkeyPatch, name: str) -> None:
    monkeypatch.setitem(sys.modules, name, None)

    assert f"has no module {name}" in check_python.complaint()
    assert "apt install python3-venv" in check_python.complaint()


def test_make_stops_with_that_sentence_before_it_makes_anything(tmp_path: Path, command: Command) -> None:
    root = Path(check_python.__file__).resolve().parents[1]
    python = command("python3", "echo 'tgllm needs Python 3.11 or newer' >&2; exit 1")

    done = subprocess.run(
        ["make", "demo", f"PYTHON={python}", f"VENV={tmp_path / 'venv'}"],
        cwd=root,
        capture_output=True,
        text=True,
        check=False,
        timeout=30,
    )

    assert done.returncode != 0
    assert "tgllm needs Python 3.11 or newer" in done.stderr
    assert not (tmp_path / "venv").exists()
