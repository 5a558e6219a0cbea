"""``make test-real-model`` says so when the real model can't be had."""

import os
import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]

pytestmark = pytest.mark.real_model


def test_without_the_packages_it_fails_with_a_sentence(tmp_path: Path) -> None:
    folder = tmp_path / "model"
    variables = {name: value for name, value in os.environ.items() if not name.startswith("MAKE")}
    command = ["make", "--no-print-directory", f"REAL_MODEL={folder}", f"{folder}/.installed"]

    done = subprocess.run(
        command, cwd=ROOT, env={**variables, "PIP_NO_INDEX": "1"}, capture_output=True, text=True, check=False
    )

    assert done.returncode != 0
    assert "The real model can't be had" in done.stdout
    assert not (folder / ".installed").exists()
