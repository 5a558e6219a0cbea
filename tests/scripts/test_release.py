"""The tag of a release names a package and its version."""

import re
import shutil
from pathlib import Path

import pytest

import release
import tgllm

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture
def root(tmp_path: Path) -> Path:
    """The files of the repository that a release reads, with a changelog of the present version."""
    for name in ("pyproject.toml", "src/tgllm/__init__.py", "plugins/tgllm_gemini/pyproject.toml"):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(ROOT / name, tmp_path / name)
    (tmp_path / "CHANGELOG.md").write_text(f"# Changelog\n\n## [{tgllm.__version__}] - 2026-12-01\n")
    return tmp_path


def test_the_core(root: Path) -> None:
    found = release.release(f"tgllm-v{tgllm.__version__}", root)
    assert found == {"package": "tgllm", "version": tgllm.__version__, "folder": ".", "final": "true"}


def test_a_plugin(root: Path) -> None:
    version = re.search(r'^version = "(.+)"', (root / "plugins/tgllm_gemini/pyproject.toml").read_text(), re.MULTILINE)
    assert version is not None
    found = release.release(f"tgllm-gemini-v{version[1]}", root)
    assert (found["package"], found["folder"]) == ("tgllm-gemini", "plugins/tgllm_gemini")


@pytest.mark.parametrize(
    ("version", "final"),
    [("1.0.0", "true"), ("10.20.30", "true"), ("1.1.0a1", "false"), ("1.1.0b2", "false"), ("1.1.0rc10", "false")],
)
def test_a_pre_release_is_not_final(root: Path, version: str, final: str) -> None:
    project = root / "plugins/tgllm_gemini/pyproject.toml"
    project.write_text(re.sub(r'(?m)^version = ".+"', f'version = "{version}"', project.read_text()))
    assert release.release(f"tgllm-gemini-v{version}", root)["final"] == final


@pytest.mark.parametrize(
    ("tag", "reason"),
    [
        ("tgllm-v99.0.0", "the tag says 99.0.0, but"),
        ("tgllm-gemini-v99.0.0", "tgllm_gemini/pyproject.toml says"),
        ("tgllm-nothing-v1.0.0", "no package tgllm-nothing"),
        ("v1.0.0", "is no tag of a release"),
        ("tgllm-v1.0", "is no tag of a release"),
        ("tgllm-v1.0.0;id", "is no tag of a release"),
        ("tgllm-v1.0.0\nfolder=x", "is no tag of a release"),
        ("tgllm-$(id)-v1.0.0", "is no tag of a release"),
    ],
)
def test_another_tag_is_refused(root: Path, tag: str, reason: str, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(release.WrongTag, match=re.escape(reason)):
        release.release(tag, root)
    assert release.main([tag]) == 1
    out, err = capsys.readouterr()
    assert (out, err.startswith("release: ")) == ("", True)


@pytest.mark.parametrize("place", ["CHANGELOG.md", "src/tgllm/__init__.py"])
def test_the_core_needs_its_version_everywhere(root: Path, place: str) -> None:
    text = (root / place).read_text()
    (root / place).write_text(text.replace(tgllm.__version__, "0.0.1"))
    with pytest.raises(release.WrongTag):
        release.release(f"tgllm-v{tgllm.__version__}", root)


def test_every_package_of_the_repository_can_be_released() -> None:
    names = {folder.name.replace("_", "-") for folder in (ROOT / "plugins").glob("tgllm_*")}
    assert set(release.packages()) == {"tgllm"} | names
