"""A release names the repository that it comes from."""

import shutil
import tomllib
from pathlib import Path

import pytest

import project_urls
from release import ROOT

ADDRESS = "https://github.com/someone/tgllm"


@pytest.fixture
def root(tmp_path: Path) -> Path:
    for name in ("pyproject.toml", "plugins/tgllm_gemini/pyproject.toml"):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(ROOT / name, tmp_path / name)
    return tmp_path


def test_every_package_gets_them_once(root: Path) -> None:
    assert [project_urls.main([ADDRESS], root) for _ in range(2)] == [0, 0]
    for path in (root / "pyproject.toml", root / "plugins/tgllm_gemini/pyproject.toml"):
        project = tomllib.loads(path.read_text())["project"]
        assert project["urls"]["Issues"] == f"{ADDRESS}/issues"
        assert project["version"]


@pytest.mark.parametrize("address", ["", "http://github.com/a/b", 'https://github.com/a/b"', "https://github.com/a"])
def test_another_text_is_refused(root: Path, address: str, capsys: pytest.CaptureFixture[str]) -> None:
    before = (root / "pyproject.toml").read_text()
    assert project_urls.main([address], root) == 1
    assert "is no address" in capsys.readouterr().err
    assert (root / "pyproject.toml").read_text() == before
