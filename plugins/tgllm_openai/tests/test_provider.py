"""Answers, requests, models and prices, against fakes of services."""

from pathlib import Path
from typing import Any

import pytest

from tgllm.api import (
    AuthFailed,
    BadResponse,
    FilePart,
    Price,
    ReasoningDelta,
    TextDelta,
    Unsupported,
    Usage,
    Waiting,
)
from tgllm.testing.asking import failure, hear, question
from tgllm.testing.fake_providers import FakeError, FakeOpenAI, Signal
from tgllm.testing.making import Make
from tgllm_openai.models import read_entry
from tgllm_openai.presets import load_presets

EVERYTHING: dict[str, Any] = {"temperature": 0.0, "max_output_tokens": 99, "user_key": "abc"}


def ask(model: str = "large", **settings: Any) -> Any:
    return question(model, "Hello", **settings)


def body(fake: FakeOpenAI) -> dict[str, Any]:
    """The last request's fields, without those that every request has."""
    sent = dict(fake.requests[-1].body)
    return {name: value for name, value in sent.items() if name not in {"model", "messages", "stream"}}


class TestFields:
    @pytest.mark.parametrize(
        ("preset", "fields"),
        [
            ("groq", {"temperature": 0.0, "max_tokens": 99, "user": "abc"}),
            ("cerebras", {"temperature": 0.0, "max_completion_tokens": 99, "user": "abc"}),
            ("baseten", {"temperature": 0.0, "max_tokens": 99}),
            ("deepseek", {"temperature": 0.0, "max_tokens": 99, "user_id": "abc"}),
        ],
    )
    async def test_limit_and_person_have_the_names_of_the_service(
        self, make: Make, fake: FakeOpenAI, preset: str, fields: dict[str, Any]
    ) -> None:
        await hear(await make(preset=preset), ask(**EVERYTHING))

        assert body(fake) == {"stream_options": {"include_usage": True}, **fields}

    async def test_mistral_is_not_asked_for_usage(self, make: Make, fake: FakeOpenAI) -> None:
        await hear(await make(preset="mistral"), ask(**EVERYTHING))

        assert body(fake) == {"temperature": 0.0, "max_tokens": 99}

    @pytest.mark.parametrize(
        ("preset", "effort", "fields"),
        [
            ("groq", None, {}),
            ("groq", "none", {"reasoning_effort": "none"}),
            ("groq", "low", {"reasoning_effort": "low"}),
            ("cohere", "low", {"reasoning_effort": "high"}),
            ("openrouter", "none", {"reasoning": {"enabled": False}}),
            ("openrouter", "high", {"reasoning": {"effort": "high"}}),
            ("together", "none", {"reasoning": {"enabled": False}}),
            ("together", "medium", {"reasoning_effort": "medium"}),
            ("zai", "none", {"thinking": {"type": "disabled"}}),
            ("zai", "high", {"thinking": {"type": "enabled"}}),
            ("deepseek", "high", {"thinking": {"type": "enabled"}, "reasoning_effort": "high"}),
            ("qwen", "none", {"enable_thinking": False}),
            ("qwen", "low", {"enable_thinking": True}),
            ("baseten", "none", {"chat_template_args": {"enable_thinking": False}}),
            ("nvidia", "none", {"chat_template_kwargs": {"enable_thinking": False}}),
        ],
    )
    async def test_the_effort_is_sent_as_the_service_takes_it(
        self, make: Make, fake: FakeOpenAI, preset: str, effort: Any, fields: dict[str, Any]
    ) -> None:
        fake.answer("Hi", reasoning="hm")

        heard = await hear(await make(preset=preset, send_user=False), ask(reasoning_effort=effort))

        sent = body(fake)
        sent.pop("stream_options")
        assert sent == fields
        assert (heard.reasoning, heard.text) == ("" if effort == "none" else "hm", "Hi")

    async def test_settings_override_the_preset(self, make: Make, fake: FakeOpenAI) -> None:
        provider = await make(
            preset="groq",
            effort="enable_thinking",
            limit_field="max_completion_tokens",
            send_user=False,
            send_stream_options=False,
            headers={"X-Title": "t"},
            body={"seed": 7},
        )

        await hear(provider, ask(reasoning_effort="none", **EVERYTHING))

        assert body(fake) == {"temperature": 0.0, "max_completion_tokens": 99, "enable_thinking": False, "seed": 7}
        assert fake.requests[-1].headers["x-title"] == "t"

    @pytest.mark.parametrize(
        ("preset", "header"), [("azure", "api-key"), ("groq", "authorization"), ("yandex", "authorization")]
    )
    async def test_the_key_is_where_the_service_wants_it(
        self, make: Make, fake: FakeOpenAI, preset: str, header: str
    ) -> None:
        found = await failure(await make(preset=preset, api_key="a-wrong-key"), ask())

        assert type(found) is AuthFailed
        assert header in fake.requests[-1].headers
        assert "a-wrong-key" not in f"{found!r} {fake.requests[-1].headers}"


class TestOpenAI:
    @pytest.fixture
    def dialect(self) -> str:
        return "openai"

    async def test_nothing_that_it_refuses_is_sent_first(self, make: Make, fake: FakeOpenAI) -> None:
        settings = {"max_output_tokens": 99, "user_key": "abc", "reasoning_effort": "low"}
        await hear(await make(preset="openai"), ask("gpt-6-luna", **settings))

        assert len(fake.requests) == 1
        assert body(fake)["max_completion_tokens"] == 99
        assert body(fake)["safety_identifier"] == "abc"

    async def test_a_temperature_that_a_model_refuses_is_left_out(self, make: Make, fake: FakeOpenAI) -> None:
        await hear(await make(preset="openai"), ask("gpt-6-luna", temperature=0.5))

        assert ["temperature" in request.body for request in fake.requests] == [True, False]

    async def test_usage_comes_after_the_answer(self, make: Make, fake: FakeOpenAI) -> None:
        usage = Usage(16, 10, 4, 6)
        fake.answer("Hi", usage=usage)

        assert (await hear(await make(preset="openai"), ask("gpt-4.1"))).finished.usage == usage

    async def test_prices_and_windows_come_from_the_package(self, make: Make, fake: FakeOpenAI) -> None:
        for model in ("gpt-6-luna-2026-09-01", "gpt-6-sol-pro", "gpt-image-3", "of-tomorrow"):
            fake.add_model(model, context_window=1)

        models = {model.id: model for model in await (await make(preset="openai")).list_models()}

        assert set(models) == {"gpt-4.1", "gpt-6-luna", "gpt-6-luna-2026-09-01", "of-tomorrow"}
        for name in ("gpt-6-luna", "gpt-6-luna-2026-09-01"):
            assert models[name].price == Price(0.1, 0.5, 0.01, "2026-11-29")
            assert (models[name].context_window, models[name].reasoning) == (1_050_000, True)
        assert models["of-tomorrow"].price is None
        assert models["of-tomorrow"].supports_files


class TestThinkTags:
    @pytest.mark.parametrize("dialect", ["minimax"])
    async def test_reasoning_inside_the_text_is_reasoning(self, make: Make, fake: FakeOpenAI) -> None:
        fake.answer(["He", "llo"], reasoning=["two ", "and two"], usage=Usage(16, 10, 4, 6))

        heard = await hear(await make(preset="minimax"), ask())

        assert (heard.reasoning, heard.text) == ("two and two", "Hello")

    async def test_an_answer_of_thoughts_alone_is_retried_as_an_empty_one(self, make: Make, fake: FakeOpenAI) -> None:
        fake.answer(["<think>hm"])

        heard = await hear(await make(), ask())

        assert (heard.reasoning, heard.text) == ("hm", "")

    async def test_gateways_that_strip_tags_leave_them_in_answers(self, make: Make, fake: FakeOpenAI) -> None:
        fake.answer(["<think>hm</think>Hello"])

        assert (await hear(await make(preset="openrouter"), ask())).text == "<think>hm</think>Hello"


class TestModels:
    @pytest.mark.parametrize(
        ("dialect", "preset", "price"),
        [
            ("openrouter", "openrouter", Price(0.15, 0.6, 0.015)),
            ("together", "together", Price(0.15, 0.6)),
            ("xai", "xai", Price(2.0, 10.0, 0.5)),
            ("huggingface", "huggingface", Price(0.2, 0.6)),
            ("groq", "groq", None),
            ("plain", "deepinfra", None),
        ],
    )
    async def test_prices_are_read_in_the_units_of_the_service(
        self, make: Make, preset: str, price: Price | None
    ) -> None:
        models = {model.id: model for model in await (await make(preset=preset)).list_models()}

        assert models["large"].price == price
        assert set(models) == {"small", "large"}

    @pytest.mark.parametrize("amount", [10**400, "1e999", "NaN", -1, True, None, [1], {"a": 1}, "free"])
    async def test_what_is_no_price_does_not_cost_the_list(self, amount: Any) -> None:
        preset = load_presets()["openrouter"]

        model = read_entry({"id": "large", "pricing": {"prompt": amount, "completion": amount}}, preset)

        assert model == read_entry({"id": "large"}, preset)

    @pytest.mark.parametrize("name", ["", "\ud800", "two\nlines", None, 5, ["large"]])
    async def test_what_is_no_name_is_passed_over(self, name: Any) -> None:
        assert read_entry({"id": name}, load_presets()["openrouter"]) is None

    @pytest.mark.parametrize("dialect", ["openrouter", "xai"])
    async def test_what_the_list_tells_of_pictures_counts(self, make: Make, dialect: str) -> None:
        models = {model.id: model for model in await (await make(preset=dialect)).list_models()}

        assert [models[name].supports_files for name in ("small", "large")] == [False, True]

    @pytest.mark.parametrize(
        ("setting", "sees"),
        [(None, ["llava-7b", "qwen3-vl-8b"]), (True, ["large", "llava-7b", "qwen3-vl-8b", "small"]), (False, [])],
    )
    async def test_otherwise_the_name_or_the_setting_decides(
        self, make: Make, fake: FakeOpenAI, setting: bool | None, sees: list[str]
    ) -> None:
        for name in ("llava-7b", "qwen3-vl-8b"):
            fake.add_model(name, context_window=1000)

        models = await (await make(images=setting)).list_models()

        assert sorted(model.id for model in models if model.supports_files) == sees

    @pytest.mark.parametrize(
        ("patterns", "names"),
        [
            ("s*", ["small"]),
            ("!S*", ["large", "other-1"]),
            ("*, !other-*", ["small", "large"]),
            ("LARGE", ["large"]),
            ("small, of-mine", ["small", "of-mine"]),
            (["z*"], []),
        ],
    )
    async def test_the_settings_choose(self, make: Make, fake: FakeOpenAI, patterns: Any, names: list[str]) -> None:
        fake.add_model("other-1", context_window=1000)

        models = await (await make(models=patterns)).list_models()

        assert [model.id for model in models] == names

    async def test_named_models_need_no_list(self, make: Make, fake: FakeOpenAI) -> None:
        fake.fault("/models", FakeError(404, "<html>nothing here</html>", content_type="text/html"), times=None)

        assert [model.id for model in await (await make(models=["mine"])).list_models()] == ["mine"]
        with pytest.raises(BadResponse):
            await (await make(models=["mine*"])).list_models()

    async def test_a_refused_key_is_no_missing_list(self, make: Make) -> None:
        with pytest.raises(AuthFailed):
            await (await make(models=["mine"], api_key="another")).list_models()

    async def test_azure_is_not_asked_for_a_list(self, make: Make, fake: FakeOpenAI) -> None:
        (model,) = await (await make(preset="azure", models="my-deployment")).list_models()

        assert model.id == "my-deployment"
        assert model.supports_files
        assert fake.requests == []

    async def test_own_prices_and_windows_override_all_others(self, make: Make) -> None:
        provider = await make(context_window=1000, prices={"large": {"input": 1, "output": 2, "as_of": "2026-12-01"}})

        models = {model.id: model for model in await provider.list_models()}

        assert models["large"].price == Price(1, 2, None, "2026-12-01")
        assert [model.context_window for model in models.values()] == [1000, 1000]

    async def test_a_larger_window_in_the_settings_changes_nothing(self, make: Make) -> None:
        models = await (await make(context_window=100_000)).list_models()

        assert [model.context_window for model in models] == [8192, 100_000]


class TestAnswers:
    @pytest.mark.parametrize("dialect", ["openrouter"])
    async def test_comments_say_that_it_waits(self, make: Make, fake: FakeOpenAI) -> None:
        fake.answer([Signal.KEEP_ALIVE, "a"], reasoning="hm")

        heard = await hear(await make(preset="openrouter"), ask())

        assert heard.events[:-1] == (ReasoningDelta("hm"), Waiting("queue"), TextDelta("a"))

    @pytest.mark.parametrize("dialect", ["xai"])
    async def test_reasoning_that_is_counted_apart_is_added(self, make: Make, fake: FakeOpenAI) -> None:
        usage = Usage(16, 10, 4, 6)
        fake.answer("Hi", usage=usage)

        assert (await hear(await make(preset="xai"), ask())).finished.usage == usage

    @pytest.mark.parametrize("dialect", ["groq"])
    async def test_a_strict_service_gets_what_it_takes(self, make: Make, fake: FakeOpenAI) -> None:
        """A field that the service refuses costs one request more, and is left out."""
        provider = await make(preset="groq", body={"safety_identifier": "x"})

        assert (await hear(provider, ask(user_key="abc"))).text == "Hello"
        assert len(fake.requests) == 2

    async def test_a_file_that_is_no_picture_is_refused(self, make: Make, fake: FakeOpenAI, tmp_path: Path) -> None:
        part = FilePart(tmp_path / "a.pdf", "application/pdf", 5, "")

        with pytest.raises(Unsupported):
            await hear(await make(), question("large", "Look", part))
        assert fake.requests == []


async def test_without_a_key_where_none_is_needed_no_key_is_sent(make: Make, fake: FakeOpenAI) -> None:
    provider = await make(api_key=None)

    assert type(await failure(provider, ask())) is AuthFailed
    assert "authorization" not in fake.requests[-1].headers
