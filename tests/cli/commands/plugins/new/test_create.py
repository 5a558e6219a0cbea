"""``tgllm plugins new``: what it writes, and what it refuses without leaving anything behind."""

import importlib
import subprocess
import sys
import tomllib
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

import tgllm
from cli_support import Shell
from tgllm.api.version import API_VERSION
from tgllm.cli.commands.plugins.new import author, writing
from tgllm.cli.commands.plugins.new.names import read_name
from tgllm.cli.commands.plugins.new.rendering import KINDS
from tgllm.plugins.loading.clashes import CORE_COMMANDS
from tgllm.services.plugin_checks.fields import describe_fields

ANN = ("--author", "Ann Example <ann@example.org>")


@pytest.fixture
def new(shell: Shell) -> Callable[..., Any]:
    """Call ``tgllm plugins new`` with a kind."""
    return lambda name, *options, kind="command": shell.runs("plugins", "new", name, "--kind", kind, *ANN, *options)


def everything(folder: Path) -> list[str]:
    return sorted(str(path.relative_to(folder)) for path in folder.rglob("*"))


def project(folder: Path) -> dict[str, Any]:
    return tomllib.loads((folder / "pyproject.toml").read_text(encoding="utf-8"))["project"]


@pytest.mark.parametrize("kind", KINDS)
def test_a_package_of_each_kind(new: Callable[..., Any], shell: Shell, kind: str) -> None:
    shown = new("ice-cream", kind=kind)

    assert shown.code == 0, shown.err
    assert "tgllm demo --plugin ./ice-cream" in shown.out
    folder = shell.folder / "ice-cream"
    files = everything(folder)
    assert {
        ".github/workflows/ci.yml",
        ".gitignore",
        "CHANGELOG.md",
        "LICENSE",
        "README.md",
        "pyproject.toml",
        "src/tgllm_ice_cream/__init__.py",
        "src/tgllm_ice_cream/plugin.py",
        "src/tgllm_ice_cream/py.typed",
        "src/tgllm_ice_cream/settings.py",
        "tests/conftest.py",
    } <= set(files)
    about = project(folder)
    major, minor = tgllm.__version__.split(".")[:2]
    assert about["name"] == "tgllm-ice-cream"
    assert about["entry-points"]["tgllm"] == {"ice_cream": "tgllm_ice_cream.plugin"}
    assert f"tgllm>={major}.{minor},<{int(major) + 1}" in about["dependencies"]
    assert about["authors"] == [{"name": "Ann Example", "email": "ann@example.org"}]
    texts = [path.read_text(encoding="utf-8") for path in folder.rglob("*") if path.is_file()]
    assert not [text for text in texts if "{{" in text.replace("${{", "")]
    assert f'"{API_VERSION}"' in (folder / "src/tgllm_ice_cream/plugin.py").read_text(encoding="utf-8")
    assert "Copyright (c) 2" in (folder / "LICENSE").read_text(encoding="utf-8")
    assert {path.stat().st_mode & 0o777 for path in (folder, folder / "src")} == {(shell.folder.stat().st_mode & 0o777)}


@pytest.mark.parametrize("kind", KINDS)
def test_its_settings_are_described(
    new: Callable[..., Any], shell: Shell, kind: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """So that ``tgllm plugins check`` finds nothing in them."""
    new("ice-cream", kind=kind)
    monkeypatch.syspath_prepend(str(shell.folder / "ice-cream/src"))
    try:
        lines = describe_fields(importlib.import_module("tgllm_ice_cream.settings").Settings)
    finally:
        for name in [name for name in sys.modules if name.startswith("tgllm_ice_cream")]:
            del sys.modules[name]
    assert lines
    assert all(lines.values()), lines


@pytest.mark.parametrize("name", ["tgllm-ice-cream", "tgllm_ice_cream", "ice_cream"])
def test_the_name_may_have_the_prefix(new: Callable[..., Any], shell: Shell, name: str) -> None:
    assert new(name).code == 0
    assert project(shell.folder / name)["name"] == "tgllm-ice-cream"


@pytest.mark.parametrize(
    ("name", "reason"),
    [
        ("", "begins with a small letter"),
        ("Weather", "such as weather."),
        ("9lives", "such as lives."),
        ("ice--cream", "such as ice-cream."),
        ("ice.cream", "such as ice-cream."),
        ("../elsewhere", "such as elsewhere."),
        ("a/b", "such as a-b."),
        ("погода", "small letters a-z"),
        ("x", "2 to 30 characters"),
        ("x" * 31, "2 to 30 characters"),
        ("weather\n", "small letters a-z"),
        ("-weather", "No such option"),
        ("tgllm-", "begins with a small letter"),
        ("class", "is a word of Python"),
        ("tgllm-import", "is a word of Python"),
        ("tgllm-tgllm", "the bot's own"),
        ("echo", "part of tgllm"),
        ("mistral", "the installed package tgllm-mistral"),
        ("model", "a command of the bot itself"),
        ("help", "a command of the bot itself"),
    ],
)
def test_a_name_that_can_not_be_is_refused(new: Callable[..., Any], shell: Shell, name: str, reason: str) -> None:
    shown = new(name)

    assert shown.code in {1, 2}
    assert reason in " ".join(shown.err.split())
    assert "Traceback" not in shown.err
    assert everything(shell.folder) == []
    assert everything(shell.folder.parent) == ["work"]


def test_a_command_of_the_bot_is_a_name_of_a_provider(new: Callable[..., Any]) -> None:
    assert "model" in CORE_COMMANDS
    assert new("model", kind="provider").code == 0


@pytest.mark.parametrize(
    ("name", "is_free"),
    [
        ("ics", True),
        ("toml", False),
        ("gpx", True),
        ("md", False),
        ("json", False),
        ("pdf", False),
        ("calendar", False),
    ],
)
def test_a_file_handler_does_not_take_what_the_bot_reads_by_the_name(
    new: Callable[..., Any], name: str, *, is_free: bool
) -> None:
    shown = new(name, kind="file-handler")

    assert shown.code == (not is_free)
    assert (f"the bot itself, for files with the ending .{name}" in shown.err) == (not is_free)


def test_a_module_that_is_installed_is_a_taken_name(
    new: Callable[..., Any], shell: Shell, install: Callable[..., None]
) -> None:
    install("tgllm-there", "", other={"there": "tgllm_there"})

    assert "the module tgllm_there of an installed package" in new("there").err
    assert not (shell.folder / "there").exists()


@pytest.mark.parametrize(
    ("options", "reason"),
    [
        (("--license", "GPL"), "one of MIT, Apache-2.0, BSD-3-Clause, none"),
        (("--author", "<ann@example.org>"), "write it like"),
        (("--author", "Ann\nExample"), "write it like"),
        (("--path", "no/such/folder"), "There is no folder no/such"),
        (("--path", "full"), "full is not empty"),
        (("--path", "file"), "file is a file"),
        (("--path", "file/inside"), "There is no folder file"),
        (("--path", "dangling"), "dangling is a file"),
    ],
)
def test_options_that_can_not_be_are_refused(
    new: Callable[..., Any], shell: Shell, options: tuple[str, str], reason: str
) -> None:
    (shell.folder / "full").mkdir()
    (shell.folder / "full" / "thing").touch()
    (shell.folder / "file").touch()
    (shell.folder / "dangling").symlink_to("nowhere")
    before = everything(shell.folder)

    shown = new("weather", *options)

    assert shown.code == 1
    assert reason in shown.err
    assert everything(shell.folder) == before


def test_a_kind_has_to_be_chosen_from_those_there_are(shell: Shell) -> None:
    shown = shell.runs("plugins", "new", "weather", "--kind", "transcriber")

    assert shown.code == 2
    assert all(kind in shown.err for kind in KINDS)
    assert shell.runs("plugins", "new", "weather").code == 2


@pytest.mark.parametrize("is_there", [True, False])
def test_a_failure_leaves_nothing_behind(
    new: Callable[..., Any], shell: Shell, monkeypatch: pytest.MonkeyPatch, *, is_there: bool
) -> None:
    if is_there:
        (shell.folder / "weather").mkdir()
    rename, calls = Path.rename, []

    def fail(path: Path, target: Path) -> Path:
        calls.append(path)
        if len(calls) == (3 if is_there else 1):
            raise OSError(28, "No space left on device")
        return rename(path, target)

    monkeypatch.setattr(writing.Path, "rename", fail)
    shown = new("weather")

    assert shown.code == 1
    assert "weather can't be written: No space left on device" in shown.err
    assert everything(shell.folder) == (["weather"] if is_there else [])


def test_an_interruption_leaves_nothing_behind(
    new: Callable[..., Any], shell: Shell, monkeypatch: pytest.MonkeyPatch
) -> None:
    def interrupt(*_: object, **__: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(writing.Path, "write_text", interrupt)

    assert new("weather").code == 130
    assert everything(shell.folder) == []


def test_an_empty_folder_stays_the_same_folder(new: Callable[..., Any], shell: Shell) -> None:
    (shell.folder / "mine").mkdir()
    before = (shell.folder / "mine").stat().st_ino

    assert new("weather", "--path", "mine").code == 0
    assert (shell.folder / "mine").stat().st_ino == before
    assert (shell.folder / "mine" / "pyproject.toml").is_file()


def test_no_licence(new: Callable[..., Any], shell: Shell) -> None:
    assert new("weather", "--license", "None").code == 0

    assert not (shell.folder / "weather" / "LICENSE").exists()
    assert not {"license", "license-files"} & project(shell.folder / "weather").keys()


def test_the_author_is_that_of_git(shell: Shell, monkeypatch: pytest.MonkeyPatch) -> None:
    settings = '[user]\nname = "Zoë \\"Z\\" O\'Hara"\nemail = z@example.org\n'
    (shell.folder / "gitconfig").write_text(settings, encoding="utf-8")
    monkeypatch.setenv("GIT_CONFIG_GLOBAL", str(shell.folder / "gitconfig"))

    assert shell.runs("plugins", "new", "weather", "--kind", "job").code == 0
    assert project(shell.folder / "weather")["authors"] == [{"name": 'Zoë "Z" O\'Hara', "email": "z@example.org"}]


def test_without_git_the_author_is_the_name_of_the_account(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", "/nowhere")
    monkeypatch.setenv("LOGNAME", "ann")

    assert author.find_author() == author.Author("ann")


@pytest.mark.parametrize("length", ["short", "long"])
def test_what_is_written_is_clean(new: Callable[..., Any], shell: Shell, length: str) -> None:
    name = {"short": "ab", "long": "abcdefghij-klmnopqrst-uvwxyz01"}[length]
    assert read_name(name)
    for kind in KINDS:
        assert new(name, "--path", kind, kind=kind).code == 0
    tools = Path(sys.executable).parent

    for command in (
        "ruff check --no-cache .",
        "ruff format --check --no-cache .",
        "zizmor --offline -q command/.github",
    ):
        program, *arguments = command.split()
        done = subprocess.run(
            [tools / program, *arguments], cwd=shell.folder, capture_output=True, text=True, check=False
        )
        assert done.returncode == 0, done.stdout + done.stderr
