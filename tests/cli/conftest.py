"""A shell in an empty home, in which ``tgllm`` is called."""

import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from cli_support import Shell
from plugin_support import write_distribution


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty home folder and an environment without settings; the current folder is ``work`` in it."""
    for name in ("HOME", "XDG_CONFIG_HOME", "XDG_DATA_HOME"):
        monkeypatch.setenv(name, str(tmp_path))
    for name in ("TGLLM_CONFIG", "TGLLM_DEBUG", "TGLLM_BOT_TOKEN", "NO_COLOR", "FORCE_COLOR"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("COLUMNS", "80")
    (tmp_path / "work").mkdir()
    monkeypatch.chdir(tmp_path / "work")
    return tmp_path


@pytest.fixture
def shell(
    home: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], restored_logging: None
) -> Shell:
    shell = Shell(home / "work", capsys)
    monkeypatch.setenv("TGLLM_DATA_DIR", str(shell.data_dir))
    return shell


@pytest.fixture
def install(home: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[..., None]]:
    """Install a package for one test: its name, the code of its one module, and its entry points by group."""
    site = home / "site-packages"
    site.mkdir()
    monkeypatch.syspath_prepend(site)

    def install(name: str, code: str, **groups: dict[str, str]) -> None:
        points = {group.replace("__", "."): found for group, found in groups.items()}
        modules = {name.replace("-", "_"): code}
        write_distribution(site, name, points, modules, version="1.2.3", summary="Says hello in [many] ways")

    yield install
    for name, module in list(sys.modules.items()):
        if str(getattr(module, "__file__", None) or "").startswith(str(site)):
            del sys.modules[name]
