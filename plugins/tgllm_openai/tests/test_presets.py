"""The table of presets: its types, its sources, and what is done with unknown names."""

from dataclasses import fields
from typing import Any, get_args, get_origin, get_type_hints

import pytest

from tgllm_openai.presets import EFFORTS, Preset, custom, effort_fields, load_presets, preset_name, unknown_preset
from tgllm_openai.settings import Common
from tgllm_openai.variables import VARIABLES

WANTED = {
    "openai",
    "anthropic_compat",
    "gemini_compat",
    "openrouter",
    "groq",
    "together",
    "fireworks",
    "deepinfra",
    "xai",
    "cerebras",
    "azure",
    "moonshot",
    "zai",
    "zhipu",
    "qwen",
    "siliconflow",
    "nvidia",
    "huggingface",
    "litellm",
    "ollama",
    "llama_cpp",
    "lm_studio",
    "vllm",
    "localai",
    "jan",
}


@pytest.mark.parametrize("preset", load_presets().values(), ids=lambda preset: preset.id)
def test_a_preset_is_well_formed(preset: Preset) -> None:
    hints = get_type_hints(Preset)
    for field in fields(Preset):
        value, hint = getattr(preset, field.name), hints[field.name]
        allowed = get_args(hint)
        if get_origin(hint) is None:
            assert isinstance(value, hint), field.name
        elif all(isinstance(one, str) for one in allowed):
            assert value in allowed, field.name
    assert preset.title
    assert preset.base_url.startswith("http") or "base_url" in preset.note
    assert not preset.base_url.endswith("/")
    assert preset.effort in EFFORTS
    assert preset.limit in {"max_tokens", "max_completion_tokens"}
    assert preset.local or preset.key or not preset.needs_key


@pytest.mark.parametrize("preset", load_presets().values(), ids=lambda preset: preset.id)
def test_a_preset_has_its_source_and_a_day(preset: Preset) -> None:
    assert preset.docs.startswith("https://") or preset.source != Preset("", "").source
    assert preset.as_of.startswith("2026-")
    assert preset.checked or not preset.docs


def test_the_services_that_people_ask_for_are_there() -> None:
    assert set(load_presets()) >= WANTED
    assert len(load_presets()) >= 40


def test_the_variables_are_those_of_the_presets() -> None:
    keys = {preset.key for preset in load_presets().values()} - {"", "OPENAI_API_KEY"}
    assert set(VARIABLES) == keys


def test_the_ways_of_the_effort_are_those_of_the_settings() -> None:
    (literal,) = (one for one in get_args(Common.model_fields["effort"].annotation) if one is not type(None))
    assert get_args(literal) == EFFORTS
    for style in EFFORTS:
        assert set(effort_fields(style)) == {"none", "low", "medium", "high"}


@pytest.mark.parametrize(
    ("said", "name"),
    [
        ("LM-Studio", "lm_studio"),
        ("lmstudio", "lm_studio"),
        ("llama.cpp", "llama_cpp"),
        (" Groq ", "groq"),
        ("HF", "huggingface"),
    ],
)
def test_names_are_read_as_people_write_them(said: str, name: str) -> None:
    assert preset_name(said) == name in load_presets()


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("grok", "did you mean groq?"),
        ("github_models", "closed on 2026-07-30"),
        ("perplexity", "ended its chat completions"),
        ("zzz", "there are: openai, azure"),
    ],
)
def test_an_unknown_name_is_explained(name: str, words: str) -> None:
    assert words in unknown_preset(name)


@pytest.mark.parametrize(
    ("url", "near"),
    [
        ("http://localhost:1/v1", True),
        ("http://192.168.1.5:8080/v1", True),
        ("http://[::1]:80", True),
        ("http://gpu-box:8000/v1", True),
        ("http://box.local", True),
        ("https://api.example.org/v1", False),
        ("https://8.8.8.8/v1", False),
    ],
)
def test_a_server_nearby_is_asked_about_its_models(url: str, near: bool) -> None:
    preset: Any = custom("mine", url)

    assert (preset.local, preset.asks) == (near, "any" if near else "")
    assert not preset.needs_key
