"""What manages the environment is recognised, and each kind has its command."""

from dataclasses import replace
from pathlib import Path

import pytest

from tgllm.plugins.installing.commands import Action, by_hand, change, check
from tgllm.plugins.installing.environment import EnvironmentKind, Facts, look, recognise
from tgllm.plugins.installing.wanted import Wanted

WEATHER = [Wanted("tgllm-weather==1.2", "tgllm-weather")]
INSTALLED = [Wanted("tgllm-weather", "tgllm-weather")]
RECEIPT = """
[tool]
requirements = [
    { name = "tgllm", extras = ["fast"], specifier = ">=1.0" },
    { name = "tgllm-mistral", specifier = "==1.1" },
    { name = "tgllm-own", directory = "/home/ann/own" },
    { name = "Tgllm_Git", git = "https://example.org/git?rev=main" },
    { name = "tgllm-file", url = "https://example.org/tgllm_file-1.0-py3-none-any.whl" },
]

[tool.options]
find-links = ["file:///wheels"]
index = [{ url = "https://example.org/simple", default = true }]
"""
KEPT = [
    "--with", "tgllm-mistral==1.1",
    "--with", "/home/ann/own",
    "--with", "Tgllm_Git @ git+https://example.org/git?rev=main",
    "--with", "tgllm-file @ https://example.org/tgllm_file-1.0-py3-none-any.whl",
]  # fmt: skip
OPTIONS = ["--find-links", "file:///wheels", "--default-index", "https://example.org/simple"]


@pytest.fixture
def facts(tmp_path: Path) -> Facts:
    prefix = tmp_path / "venvs" / "tgllm"
    prefix.mkdir(parents=True)
    return Facts(prefix, prefix / "bin/python", is_virtual=True, has_pip=True, is_writable=True)


def lay_out(prefix: Path, layout: str) -> None:
    """Put the files there by which an environment is recognised."""
    match layout:
        case "pipx":
            (prefix / "pipx_metadata.json").write_text("{}", encoding="utf-8")
        case "uv-tool":
            (prefix / "uv-receipt.toml").write_text(RECEIPT, encoding="utf-8")
        case "uv":
            (prefix / "pyvenv.cfg").write_text("home = /usr/bin\nuv = 0.13.9\n", encoding="utf-8")
        case _:
            pass


@pytest.mark.parametrize(
    ("layout", "changes", "kind"),
    [
        ("", {}, "pip"),
        ("uv", {"has_pip": False, "uv": "/bin/uv"}, "uv"),
        ("uv", {"has_pip": False}, "uv"),
        ("uv", {}, "pip"),
        ("", {"has_pip": False, "uv": "/bin/uv"}, "uv"),
        ("", {"has_pip": False}, "none"),
        ("pipx", {}, "pipx"),
        ("pipx", {"has_pip": False}, "pipx"),
        ("uv-tool", {"has_pip": False}, "uv-tool"),
        ("", {"is_virtual": False, "managed_note": "Use apt install"}, "managed"),
        ("", {"is_virtual": False, "managed_note": ""}, "managed"),
        ("", {"is_virtual": False}, "pip"),
        ("", {"is_container": True, "is_writable": False}, "image"),
        ("", {"is_container": True, "has_pip": False}, "image"),
        ("", {"is_container": True}, "pip"),
        ("uv", {"is_container": True, "has_pip": False, "uv": "/bin/uv"}, "uv"),
        ("", {"is_writable": False}, "none"),
    ],
)
def test_the_environment_is_recognised(
    facts: Facts, layout: str, changes: dict[str, object], kind: EnvironmentKind
) -> None:
    lay_out(facts.prefix, layout)

    assert recognise(replace(facts, **changes)).kind == kind


def test_the_environment_of_this_process_is_recognised() -> None:
    assert recognise(look()).kind in {"pip", "uv", "managed", "image", "none"}


@pytest.mark.parametrize(
    ("layout", "changes", "action", "words"),
    [
        ("", {}, "install", ["{python}", "-m", "pip", "--disable-pip-version-check", "--no-input", "install",
                             "tgllm-weather==1.2", "tgllm==1.0.0"]),
        ("", {}, "upgrade", ["{python}", "-m", "pip", "--disable-pip-version-check", "--no-input", "install",
                             "--upgrade", "tgllm-weather==1.2", "tgllm==1.0.0"]),
        ("", {}, "uninstall", ["{python}", "-m", "pip", "--disable-pip-version-check", "--no-input", "uninstall",
                               "--yes", "tgllm-weather"]),
        ("uv", {"has_pip": False, "uv": "/bin/uv"}, "install",
         ["/bin/uv", "pip", "install", "--python", "{python}", "tgllm-weather==1.2", "tgllm==1.0.0"]),
        ("uv", {"has_pip": False, "uv": "/bin/uv"}, "upgrade",
         ["/bin/uv", "pip", "install", "--python", "{python}", "--upgrade-package", "tgllm-weather",
          "tgllm-weather==1.2", "tgllm==1.0.0"]),
        ("uv", {"has_pip": False, "uv": "/bin/uv"}, "uninstall",
         ["/bin/uv", "pip", "uninstall", "--python", "{python}", "tgllm-weather"]),
        ("pipx", {"pipx": "/bin/pipx"}, "install", ["/bin/pipx", "inject", "tgllm", "tgllm-weather==1.2"]),
        ("pipx", {"pipx": "/bin/pipx"}, "upgrade", ["/bin/pipx", "inject", "--force", "tgllm", "tgllm-weather==1.2"]),
        ("pipx", {"pipx": "/bin/pipx"}, "uninstall", ["/bin/pipx", "uninject", "tgllm", "tgllm-weather"]),
        ("uv-tool", {"uv": "/bin/uv"}, "install",
         ["/bin/uv", "tool", "install", *OPTIONS, "tgllm[fast]>=1.0", *KEPT, "--with", "tgllm-weather==1.2"]),
    ],
)  # fmt: skip
def test_each_kind_has_its_command(
    facts: Facts, layout: str, changes: dict[str, object], action: Action, words: list[str]
) -> None:
    lay_out(facts.prefix, layout)
    environment = recognise(replace(facts, **changes))

    command = change(environment, action, INSTALLED if action == "uninstall" else WEATHER, "1.0.0", Path("/c"))

    assert command is not None
    assert list(command.words) == [word.format(python=facts.python) for word in words]
    assert str(facts.prefix.parents[1]) == command.variables.get("PIPX_HOME", str(facts.prefix.parents[1]))


def test_uv_tool_keeps_what_was_installed_before(facts: Facts) -> None:
    lay_out(facts.prefix, "uv-tool")
    environment = recognise(replace(facts, uv="/bin/uv"))
    mistral = [Wanted("tgllm-mistral", "tgllm-mistral")]

    removed = change(environment, "uninstall", mistral, "1.0.0", Path("/c"))
    newer = change(environment, "install", [Wanted("tgllm-mistral==1.2", "tgllm-mistral")], "1.0.0", Path("/c"))
    upgraded = change(environment, "upgrade", mistral, "1.0.0", Path("/c"))

    assert removed is not None
    assert newer is not None
    assert upgraded is not None
    assert list(removed.words) == ["/bin/uv", "tool", "install", *OPTIONS, "tgllm[fast]>=1.0", *KEPT[2:]]
    assert list(newer.words[-2:]) == ["--with", "tgllm-mistral==1.2"]
    assert "tgllm-mistral==1.1" not in newer.words
    assert list(upgraded.words[3:5]) == ["--upgrade-package", "tgllm-mistral"]
    assert list(upgraded.words[-8:]) == KEPT


@pytest.mark.parametrize(
    ("layout", "changes", "line"),
    [
        ("", {"is_virtual": False, "managed_note": "x"},
         "python3 -m venv ~/.venvs/tgllm && ~/.venvs/tgllm/bin/pip install tgllm-weather==1.2 tgllm==1.0.0"),
        ("", {"is_container": True, "has_pip": False},
         "docker build --tag tgllm --build-arg PLUGINS=tgllm-weather==1.2 ."),
        ("", {"is_container": True, "is_writable": False},
         "RUN {python} -m pip install tgllm-weather==1.2 tgllm==1.0.0"),
        ("pipx", {}, "pipx inject tgllm tgllm-weather==1.2"),
        ("uv", {"has_pip": False}, "uv pip install --python {python} tgllm-weather==1.2 tgllm==1.0.0"),
    ],
)  # fmt: skip
def test_the_exact_command_is_shown_where_nothing_can_be_changed(
    facts: Facts, layout: str, changes: dict[str, object], line: str
) -> None:
    lay_out(facts.prefix, layout)
    environment = recognise(replace(facts, **changes))

    assert change(environment, "install", WEATHER, "1.0.0", Path("/c")) is None
    assert by_hand(environment, "install", WEATHER, "1.0.0") == line.format(python=facts.python)


def test_what_is_wanted_is_looked_up_with_tgllm_and_its_versions_fixed(facts: Facts) -> None:
    with_pip = check(recognise(facts), "install", WEATHER, "1.0.0", Path("/c"), Path("/r"))
    with_uv = check(
        recognise(replace(facts, has_pip=False, uv="/bin/uv")), "install", WEATHER, "1.0.0", Path("/c"), Path("/r")
    )

    for command in (with_pip, with_uv):
        assert "--dry-run" in command.words
        assert command.words[-2:] == ("tgllm-weather==1.2", "tgllm==1.0.0")
        assert command.variables["PIP_CONSTRAINT"] == command.variables["UV_CONSTRAINT"] == "/c"
