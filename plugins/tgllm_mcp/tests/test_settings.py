"""Settings that are refused, checks of doctor, and texts that hold no secret."""

from types import SimpleNamespace
from typing import Any

import pytest
from pydantic import SecretStr, ValidationError

from tgllm_mcp import plugin
from tgllm_mcp.settings import MissingVariable, Server, Settings, filled
from tgllm_mcp.words import Secrets


def ctx(**servers: Any) -> Any:
    return SimpleNamespace(settings=Settings.model_validate({"servers": servers}))


@pytest.mark.parametrize(
    ("server", "words"),
    [
        ({}, "neither command nor url"),
        ({"command": "a", "url": "http://b"}, "both command and url"),
        ({"command": ""}, "at least 1 character"),
        ({"command": " "}, "the command is empty"),
        ({"command": "a", "headers": {"A": "b"}}, "headers belongs to servers with url"),
        ({"url": "http://b", "env": {"A": "b"}}, "env belongs to servers with command"),
        ({"url": "ftp://b"}, "match pattern"),
        ({"command": "a", "tiemout": 3}, "Extra inputs"),
        ({"command": "a", "timeout": 601}, "less than or equal to 600"),
        ({"command": "a", "prefix": "9x"}, "with a letter or _ first"),
        ({"command": "a", "danger": "harmless"}, "'read', 'write' or 'dangerous'"),
    ],
)
def test_bad_settings_are_refused(server: dict[str, Any], words: str) -> None:
    with pytest.raises(ValidationError, match=words):
        Settings.model_validate({"servers": {"one": server}})


@pytest.mark.parametrize("name", ["One", "a-b", "_a", "a" * 33, ""])
def test_bad_names_are_refused(name: str) -> None:
    with pytest.raises(ValidationError, match="can't be the name of a server"):
        Settings.model_validate({"servers": {name: {"command": "a"}}})


def test_lists_can_be_texts_as_variables_have_them() -> None:
    server = Server.model_validate({"command": "a", "read": "get_* list_*", "include": "a,b"})

    assert (server.read, server.include) == (("get_*", "list_*"), ("a", "b"))


def test_variables_are_filled_in() -> None:
    values = {"A": SecretStr("Bearer ${KEY}"), "B": SecretStr("$KEY ${no")}

    assert filled(values, {"KEY": "k"}) == {"A": "Bearer k", "B": "$KEY ${no"}
    with pytest.raises(MissingVariable, match="the environment variable KEY is not set"):
        filled(values, {"KEY": ""})


def test_the_place_of_a_server_has_no_secret() -> None:
    places = [Server(url="https://me:pass@h.example:8/mcp?key=abc").place, Server(command="/opt/x/run").place]

    assert places == ["https://h.example:8", "run"]


def test_secrets_are_hidden_in_all_forms() -> None:
    secrets = Secrets(["Bearer abcdef", "1234"], "https://me:passw@h/mcp?key=qwerty&b=c")

    assert secrets.hide("abcdef qwerty passw 1234 Bearer abcdef") == "[hidden] [hidden] [hidden] 1234 [hidden]"


def test_doctor_says_what_is_missing(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("NOT_SET", raising=False)
    found = plugin.tgllm_doctor(
        ctx(
            good={"command": "cat"},
            gone={"command": "no-such-program"},
            folder={"command": "cat", "cwd": "/nowhere"},
            key={"url": "https://example.org/mcp", "headers": {"Authorization": "Bearer ${NOT_SET}"}},
            plain={"url": "http://example.org/mcp", "headers": {"Authorization": "Bearer abc"}},
            near={"url": "http://127.0.0.1:1/mcp", "headers": {"Authorization": "Bearer abc"}},
            off={"command": "no-such-program", "enabled": False},
        )
    )

    states = {check.name: check.state for check in found if not check.name.endswith("proxy")}
    assert states == {
        "MCP: good": "ok",
        "MCP: gone": "failed",
        "MCP: folder": "failed",
        "MCP: key": "failed",
        "MCP: plain": "warning",
        "MCP: near": "ok",
        "MCP: off": "not configured",
    }
    assert "Bearer abc" not in str(found)
    assert plugin.tgllm_doctor(ctx())[0].state == "not configured"


async def test_without_servers_nothing_is_started() -> None:
    context = ctx()

    await plugin.tgllm_startup(context)
    await plugin.tgllm_shutdown(context)
