"""Commands that install more of tgllm name the clone from which it was installed."""

import json
from pathlib import Path
from types import SimpleNamespace

import pytest

from tgllm.observe import installation
from tgllm.observe.installation import clone_folder, install_command, place_of

found_clone = clone_folder.__wrapped__  # type: ignore[attr-defined]  set by `functools.cache`; called without the cache


@pytest.fixture
def clone(tmp_path: Path) -> Path:
    folder = tmp_path / "my clone"
    for each in (folder, folder / "plugins" / "tgllm_mistral"):
        each.mkdir(parents=True)
        (each / "pyproject.toml").touch()
    return folder


def installed_from(monkeypatch: pytest.MonkeyPatch, text: str | None) -> Path | None:
    """The clone that is found when pip has recorded this origin."""
    distribution = SimpleNamespace(read_text=lambda _: text)
    monkeypatch.setattr(installation.metadata, "distribution", lambda _: distribution)
    return found_clone()


@pytest.mark.parametrize("info", [{}, {"editable": True}])
def test_a_folder_is_found(monkeypatch: pytest.MonkeyPatch, clone: Path, info: object) -> None:
    assert installed_from(monkeypatch, json.dumps({"url": clone.as_uri(), "dir_info": info})) == clone


@pytest.mark.parametrize(
    "text",
    [
        None,
        "",
        "[]",
        "no json",
        '{"url": "file:///no/such/folder", "dir_info": {}}',
        '{"url": "file:///tmp/tgllm-1.0.0-py3-none-any.whl", "archive_info": {}}',
        '{"url": "https://git.example.org/tgllm.git", "vcs_info": {"vcs": "git"}}',
        '{"dir_info": {}}',
    ],
)
def test_anything_else_is_none(monkeypatch: pytest.MonkeyPatch, text: str | None) -> None:
    assert installed_from(monkeypatch, text) is None


def test_its_packages_are_installed_from_the_clone(monkeypatch: pytest.MonkeyPatch, clone: Path) -> None:
    monkeypatch.setattr(installation, "clone_folder", lambda: clone)

    assert install_command("tgllm[files]") == f"pip install '{clone}[files]'"
    assert install_command("tgllm", "tgllm-mistral") == f"pip install '{clone}' '{clone}/plugins/tgllm_mistral'"
    assert install_command("tgllm-gpx", "pillow-heif") == "pip install tgllm-gpx pillow-heif"
    assert place_of("tgllm-mistral") == f"{clone}/plugins/tgllm_mistral"


def test_without_a_clone_they_are_named() -> None:
    assert install_command("tgllm[files]", "tgllm-mistral") == "pip install 'tgllm[files]' tgllm-mistral"
    assert install_command("a; rm -rf /") == "pip install 'a; rm -rf /'"
