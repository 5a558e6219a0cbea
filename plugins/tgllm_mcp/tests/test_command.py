"""``tgllm mcp list`` and ``check`` with real servers, in a process of this one."""

import json
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from mcp_servers.running import RAW
from tgllm.cli.main import main

Run = Callable[..., tuple[int, str, str]]


@pytest.fixture
def run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Run:
    """Run ``tgllm mcp`` with servers of these kinds."""
    monkeypatch.chdir(tmp_path)

    def call(*args: str, **kinds: str) -> tuple[int, str, str]:
        lines = [f"data_dir = {json.dumps(str(tmp_path / 'data'))}"]
        for name, kind in kinds.items():
            command, arguments = json.dumps(sys.executable), json.dumps([str(RAW), kind])
            lines.append(f'[plugins.mcp.servers.{name}]\ncommand = {command}\nargs = {arguments}\nread = ["echo"]')
        (tmp_path / "bot.toml").write_text("\n".join(lines))
        capsys.readouterr()
        code = main(["--config", str(tmp_path / "bot.toml"), "mcp", *args])
        out, err = capsys.readouterr()
        return code, out, err

    return call


def test_tools_are_listed_with_who_may_use_them(run: Run) -> None:
    code, out, err = run("list", one="good", two="names")

    lines = [line.split("\t") for line in out.splitlines()]
    assert (code, err) == (0, "")
    assert lines[0] == ["Server", "Tool", "Danger", "Who", "Description"]
    assert lines[1] == ["one", "one_echo", "read", "user and above", "Tool echo"]
    assert lines[2][2:4] == ["dangerous", "user and above, once opened by /admin tools or the config"]
    assert "two: left out: the schema of tool two_large" in out


def test_tools_as_json(run: Run) -> None:
    code, out, _ = run("list", "--json", one="good")

    (tool,) = json.loads(out)
    assert (code, tool["tool"], tool["open"], tool["schema"]) == (
        0, "one_echo", True, {"type": "object", "properties": {}},
    )  # fmt: skip


def test_a_server_that_fails_is_explained(run: Run) -> None:
    code, out, err = run("check", one="good", two="exits")
    listed = run("list", one="good", two="exits")

    assert (code, err) == (1, "")
    place = Path(sys.executable).name
    detail = 'it has closed its output; it has written: "API_KEY=topsecret123 is wrong, giving up"'
    assert out.splitlines()[1:] == [f"one\t{place}\tok\ttools: 1", f"two\t{place}\tfailed\t{detail}"]
    assert (listed[0], "one_echo" in listed[1], "two: it has closed its output" in listed[2]) == (1, True, True)


def test_one_server_by_name(run: Run) -> None:
    assert run("check", "one", one="good", two="exits")[0] == 0
    assert "there is no server three" in run("check", "three", one="good")[2]
    assert "there is no server yet" in run("check")[2]


def test_invalid_settings_are_explained(run: Run, tmp_path: Path) -> None:
    run("check", one="good")
    (tmp_path / "bot.toml").write_text('[plugins.mcp.servers.one]\ncommand = "a"\nurl = "http://b"\n')
    code = main(["--config", str(tmp_path / "bot.toml"), "--data-dir", str(tmp_path / "data"), "mcp", "check"])

    assert code == 2
