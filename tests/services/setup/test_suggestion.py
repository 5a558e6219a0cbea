"""Which model is suggested first, and how a list is filtered."""

import pytest

from tgllm.db.tables.models import NewModel
from tgllm.services.setup.suggestion import find_model, matching, suggested_first


def model(name: str, *aliases: str) -> NewModel:
    return NewModel(provider="p", model=name, title=name.upper(), aliases=aliases)


@pytest.mark.parametrize(
    ("names", "first"),
    [
        (["gemini-2.5-pro", "gemini-2.5-flash", "gemini-2.5-flash-lite", "gemini-2.5-flash-image"], "gemini-2.5-flash"),
        (["gemini-2.5-flash", "gemini-3.5-flash", "gemini-3.6-flash-preview"], "gemini-3.5-flash"),
        (["codestral-2508", "mistral-embed", "mistral-large-2512", "mistral-small-2603"], "mistral-small-2603"),
        (["mistral-small-2603", "mistral-small-latest"], "mistral-small-latest"),
        (["deepseek-reasoner", "deepseek-chat"], "deepseek-chat"),
        (["text-embedding-3", "whisper-1"], "text-embedding-3"),
    ],
)
def test_a_released_model_for_conversation_at_a_low_price_is_first(names: list[str], first: str) -> None:
    assert suggested_first([model(name) for name in names])[0].model == first
    assert suggested_first([model(name) for name in reversed(names)])[0].model == first


def test_the_filter_takes_parts_of_names() -> None:
    models = [model("a/llama-3", "tiny"), model("b/qwen-2")]

    assert matching(models, "LLAMA 3") == models[:1]
    assert matching(models, "tiny") == models[:1]
    assert matching(models, "") == models
    assert matching(models, "none") == []


@pytest.mark.parametrize("text", ["a/llama-3", " a/llama-3 ", "p/a/llama-3", "tiny", "p/tiny"])
def test_a_whole_name_or_alias_is_found(text: str) -> None:
    found = find_model([model("a/llama-3", "tiny")], text, "p")

    assert found is not None
    assert find_model([model("a/llama-3")], "llama-3", "p") is None
