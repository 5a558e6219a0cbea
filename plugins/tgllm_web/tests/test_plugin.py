"""What the plugin offers and checks, and its texts."""

import tomllib
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from pydantic import ValidationError

from tgllm.api import (
    ChatInfo,
    ChatMessage,
    ChatRequest,
    ModelRef,
    TextPart,
    ToolDefinition,
    TurnInfo,
    UserInfo,
)
from tgllm_web import plugin
from tgllm_web.settings import Settings

TEXTS = plugin.tgllm_plugin_info().texts


def ctx(**settings: object) -> Any:
    return SimpleNamespace(settings=Settings.model_validate(settings))


async def names(**settings: object) -> list[str]:
    context = ctx(**settings)
    tools = plugin.tgllm_tools(context)
    await plugin.tgllm_shutdown(context)
    return [f"{tool.name} {tool.danger}" for tool in tools]


async def test_without_settings_there_is_no_search() -> None:
    assert await names() == ["read_page read"]


async def test_a_search_without_its_key_is_not_offered() -> None:
    assert await names(search="brave") == ["read_page read"]
    assert await names(search="brave", brave_api_key="made-up", pages=False) == ["web_search read"]
    assert await names(search="searxng", searxng_url="http://10.0.0.1:8888") == ["web_search read", "read_page read"]


async def test_approvals_make_pages_a_dangerous_tool() -> None:
    assert await names(approve=True) == ["read_page dangerous"]


@pytest.mark.parametrize(
    ("settings", "state", "words"),
    [
        ({}, "not configured", "[plugins.web]"),
        ({"search": "brave"}, "failed", "BRAVE_API_KEY"),
        ({"search": "tavily"}, "failed", "TAVILY_API_KEY"),
        ({"search": "searxng"}, "failed", "searxng_url"),
        ({"search": "tavily", "tavily_api_key": "made-up"}, "ok", "tavily"),
    ],
)
def test_what_doctor_says(settings: dict[str, Any], state: str, words: str) -> None:
    (check,) = plugin.tgllm_doctor(ctx(**settings))

    assert (check.state, words in check.detail) == (state, True)


def test_without_their_packages_doctor_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("tgllm_web.checks.find_spec", lambda _name: None)

    assert [check.state for check in plugin.tgllm_doctor(ctx(search="duckduckgo"))] == ["failed", "failed"]


@pytest.mark.parametrize("settings", [{"allow": ("http://x",)}, {"search": "google"}, {"typo": 1}])
def test_settings_with_mistakes(settings: dict[str, Any]) -> None:
    with pytest.raises(ValidationError):
        Settings.model_validate(settings)


async def test_urls_of_messages_are_noted_only_for_requests_with_the_tool() -> None:
    context = ctx()
    (tool,) = plugin.tgllm_tools(context)
    model, chat = ModelRef("a", "b"), ChatInfo(1, "private")
    turn = TurnInfo("t", UserInfo(1, "Ann", "user"), chat, model, "x")
    message = ChatMessage("user", (TextPart("https://a.example/b"),))
    web = plugin._open[id(context)]

    plugin.tgllm_before_request(context, ChatRequest(model, (message,)), turn)
    before = web.known.knows(chat, "https://a.example/b")
    offered = (ToolDefinition(tool.name, tool.description, tool.schema),)
    plugin.tgllm_before_request(context, ChatRequest(model, (message,), tools=offered), turn)

    assert (before, web.known.knows(chat, "https://a.example/b")) == (False, True)
    await plugin.tgllm_shutdown(context)
    await plugin.tgllm_shutdown(context)


def test_both_languages_have_the_same_texts() -> None:
    assert TEXTS is not None
    en, ru = (tomllib.loads((Path(TEXTS) / f"{name}.toml").read_text()) for name in ("en", "ru"))

    assert en.keys() == ru.keys() == {"unknown_url", "open"}
    assert all("{url}" in texts["unknown_url"] for texts in (en, ru))
