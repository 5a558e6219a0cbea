"""Questions, answers and errors between the bot and the models of llm's plugins."""

import asyncio
import json
from pathlib import Path
from typing import Any

import llm
import pytest
from llm.parts import StreamEvent
from llm.plugins import pm

from local_llm.models import STALL, LocalPlugin, StatusError, thought
from tgllm.api import (
    AuthFailed,
    BadResponse,
    ChatMessage,
    ChatRequest,
    FilePart,
    Finished,
    ModelNotFound,
    NotConfigured,
    ProviderError,
    RateLimited,
    ReasoningDelta,
    TextDelta,
    TextPart,
    Unavailable,
    Unsupported,
    Usage,
)
from tgllm.api import (
    StreamEvent as Event,
)
from tgllm.testing.making import Make

KEY = "sk-0123456789-secret"


def said(*texts: str, **changes: Any) -> ChatRequest:
    """A conversation, in which the person and the model take turns."""
    roles = ("user", "assistant")
    messages = tuple(ChatMessage(roles[at % 2], (TextPart(text),)) for at, text in enumerate(texts))
    return ChatRequest(**{"model": "both", "messages": messages, **changes})


async def events_of(provider: Any, request: ChatRequest) -> list[Event]:
    return [event async for event in provider.generate(request)]


async def text_of(provider: Any, request: ChatRequest) -> str:
    return "".join(event.text for event in await events_of(provider, request) if isinstance(event, TextDelta))


def files_in(folder: Path) -> list[Path]:
    return list(folder.iterdir())


def picture(folder: Path, mime: str = "image/png") -> FilePart:
    path = folder / "picture"
    path.write_bytes(b"\x89PNG")
    return FilePart(path, mime, 4, "0" * 64)


async def test_models_have_their_aliases_and_those_of_the_operator(
    local: LocalPlugin, make: Make, own_folder: Path
) -> None:
    (own_folder / "aliases.json").write_text(json.dumps({"mine": "both", "async": "sync", "with space": "sync"}))
    provider = await make(models="both *sync !keyed*", prices={"both": {"input": 1, "output": 2}})

    models = {model.id: model for model in await provider.list_models()}

    assert models.keys() == {"both", "sync", "async"}
    assert models["both"].aliases == ("b", "both2", "mine")
    assert models["sync"].aliases == ()
    assert models["both"].mime_types == {"image/png", "image/jpeg"}
    assert (models["both"].reasoning, models["both"].price and models["both"].price.output) == (True, 2)
    assert await text_of(provider, said("hi", model="mine")) == "hi"


@pytest.mark.parametrize("model", ["both", "sync", "async"])
async def test_older_plugins_find_the_conversation_in_its_responses(
    local: LocalPlugin, make: Make, tmp_path: Path, model: str
) -> None:
    first = ChatMessage("user", (TextPart("one"), picture(tmp_path)))
    rest = said("", "two", "three").messages[1:]
    request = ChatRequest(model, (first, *rest), system="Be brief.")

    assert await text_of(await make(), request) == "three"

    prompt, conversation = local.prompts[-1], local.conversations[-1]
    assert (prompt.prompt, prompt.system, prompt.attachments) == ("three", "Be brief.", [])
    # The second one is the answer itself.
    response, _ = conversation.responses
    assert (response.prompt.prompt, response.text_or_raise()) == ("one", "two")
    assert [each.content for each in response.prompt.attachments] == [b"\x89PNG"]
    assert [message.role for message in prompt.messages] == ["system", "user", "assistant", "user"]


async def test_signatures_of_the_reasoning_are_sent_again(local: LocalPlugin, make: Make) -> None:
    provider = await make()
    signed = StreamEvent(type="reasoning", chunk="hm", provider_metadata={"signature": "s1"})
    local.order(signed, "two")
    *_, finished = await events_of(provider, said("one"))
    assert isinstance(finished, Finished)

    answer = ChatMessage("assistant", (TextPart("two"),), finished.provider_data)
    await events_of(provider, ChatRequest("both", (*said("one").messages, answer, *said("three").messages)))

    reasoning, text = local.prompts[-1].messages[1].parts
    assert (reasoning.text, reasoning.provider_metadata, text.text) == ("hm", {"signature": "s1"}, "two")
    # An answer that was edited meanwhile is sent as it is now.
    edited = ChatMessage("assistant", (TextPart("2"),), finished.provider_data)
    await events_of(provider, ChatRequest("both", (*said("one").messages, edited, *said("three").messages)))
    assert [part.text for part in local.prompts[-1].messages[1].parts] == ["2"]


@pytest.mark.parametrize("model", ["async", "sync"])
async def test_reasoning_is_apart_and_tools_are_left_out(local: LocalPlugin, make: Make, model: str) -> None:
    local.order(thought("hm"), StreamEvent(type="tool_call_name", chunk="look", tool_call_id="1"), "yes", "")
    events = await events_of(await make(), said("?", model=model))
    assert events == [ReasoningDelta("hm"), TextDelta("yes"), Finished()]


@pytest.mark.parametrize(
    ("details", "usage"),
    [
        (None, Usage(10, 5)),
        ({"prompt_tokens_details": {"cached_tokens": 4}, "completion_tokens_details": {"reasoning_tokens": 2}},
         Usage(10, 5, 2, 4)),
        ({"cache_read_input_tokens": 100, "cache_creation_input_tokens": 7}, Usage(117, 5, None, 100, 7)),
        ({"thoughtsTokenCount": 2, "cachedContentTokenCount": 3}, Usage(10, 5, 2, 3)),
    ],
)  # fmt: skip
async def test_usage_in_the_words_of_each_service(details: Any, usage: Usage, local: LocalPlugin, make: Make) -> None:
    class Counting(llm.AsyncModel):
        model_id = "counting"

        async def execute(self, prompt: Any, stream: bool, response: Any, conversation: Any = None) -> Any:
            yield "yes"
            response.set_usage(input=10, output=5, details=details)

    local.extra = [(None, Counting())]
    *_, finished = await events_of(await make(), said("?", model="counting"))
    assert isinstance(finished, Finished)
    assert finished.usage == usage


@pytest.mark.parametrize(
    ("response_json", "reason"),
    [
        ({"choices": [{"finish_reason": "length"}]}, "length"),
        ({"stop_reason": "max_tokens"}, "length"),
        ({"candidates": [{"finishReason": "SAFETY"}]}, "filtered"),
        ({"done_reason": "stop"}, "stop"),
        ({"finish_reason": "tool_calls"}, "other"),
        ({"usage": {}}, "stop"),
        (None, "stop"),
    ],
)
async def test_the_reason_of_the_end(response_json: Any, reason: str, local: LocalPlugin, make: Make) -> None:
    local.order("yes", response_json=response_json)
    *_, finished = await events_of(await make(), said("?"))
    assert isinstance(finished, Finished)
    assert finished.reason == reason


async def test_an_answer_that_was_cut_off_is_no_answer(local: LocalPlugin, make: Make) -> None:
    local.order("half", response_json={"object": "chat.completion.chunk", "content": "half"})
    with pytest.raises(Unavailable, match="incomplete"):
        await events_of(await make(), said("?"))


class Options(llm.Options):
    num_predict: int | None = None
    thinking: bool | None = None
    thinking_budget: int | None = None


async def test_settings_take_the_names_that_the_model_has(local: LocalPlugin, make: Make) -> None:
    model = type(local.models["async"])("other", local)
    model.Options = Options  # type: ignore[misc]  # another model of the same plugin
    local.extra = [(None, model)]
    provider = await make(options={"other": {"thinking": True, "num_predict": 5}})
    for changes, options in [
        ({}, {"thinking": True, "num_predict": 5}),
        ({"max_output_tokens": 9}, {"thinking": True, "num_predict": 9}),
        ({"reasoning_effort": "none"}, {"thinking": True, "num_predict": 5, "thinking_budget": 0}),
        ({"reasoning_effort": "low"}, {"thinking": True, "num_predict": 5, "thinking_budget": 1024}),
    ]:
        await events_of(provider, said("?", model="other", **changes))
        assert local.prompts[-1].options.model_dump(exclude_none=True) == options
    with pytest.raises(Unsupported, match="temperature"):
        await events_of(provider, said("?", model="other", temperature=0.5))


@pytest.mark.parametrize(
    ("error", "kind"),
    [
        (llm.ModelError("You exceeded your rate limit, try again in 7s"), RateLimited),
        (llm.ModelError("something odd"), ProviderError),
        (StatusError(401, f"Incorrect API key provided: {KEY}", "invalid_api_key"), AuthFailed),
        (StatusError(500, f"the proxy saw {KEY}", "internal"), Unavailable),
        (ConnectionRefusedError(111, "refused"), Unavailable),
        (NotImplementedError("Model does not support system prompts"), Unsupported),
        (KeyError("choices"), BadResponse),
        (RuntimeError(f"{KEY} what is the secret question"), BadResponse),
    ],
)
@pytest.mark.parametrize("model", ["async", "sync"])
async def test_errors_are_those_of_the_plugin_api(
    error: Exception, kind: type[ProviderError], model: str, local: LocalPlugin, make: Make
) -> None:
    local.failure = lambda: error
    with pytest.raises(ProviderError) as raised:
        await events_of(await make(keys={"local": KEY}), said("secret question", model=model))
    assert type(raised.value) is kind
    # A key that the plugin of llm has chosen itself is not known here, but hardly part of the words.
    chain = [raised.value, raised.value.__cause__, raised.value.__context__]
    assert not any("secret question" in str(each) for each in chain)


@pytest.mark.parametrize("status", [401, 500])
async def test_no_key_is_told(status: int, local: LocalPlugin, make: Make, own_folder: Path) -> None:
    local.failure = lambda: StatusError(status, f"the key is {KEY}", "odd")
    (own_folder / "keys.json").write_text(json.dumps({"local": KEY}))
    for settings in ({"keys": {"local": KEY}}, {}):
        provider = await make(**settings)
        with pytest.raises(ProviderError) as raised:
            await events_of(provider, said("?", model="keyed"))
        assert local.keys[-1] == KEY
        chain = [raised.value, raised.value.__cause__, raised.value.__context__]
        assert not any(KEY in f"{each!r} {each} {getattr(each, 'params', '')}" for each in chain)
        assert KEY not in repr(vars(provider))


async def test_keys_come_from_the_settings_then_from_llm_then_from_the_variable(
    local: LocalPlugin, make: Make, own_folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with pytest.raises(NotConfigured, match="llm keys set local"):
        await events_of(await make(), said("?", model="keyed"))
    monkeypatch.setenv("LOCAL_MODELS_KEY", "of the variable")
    await events_of(await make(), said("?", model="keyed"))
    (own_folder / "keys.json").write_text(json.dumps({"local": "stored"}))
    await events_of(await make(), said("?", model="keyed"))
    await events_of(await make(keys={"local": "of the settings"}), said("?", model="keyed"))
    assert local.keys == ["of the variable", "stored", "of the settings"]


async def test_models_without_their_key_are_not_offered_unless_they_are_named(local: LocalPlugin, make: Make) -> None:
    for settings, names in [
        ({"models": "keyed* sync"}, ["sync"]),
        ({"models": "keyed sync"}, ["sync", "keyed"]),
        ({"models": "keyed* sync", "keys": {"local": KEY}}, ["sync", "keyed", "keyed-sync"]),
    ]:
        provider = await make(**settings)
        assert [model.id for model in await provider.list_models()] == names
    with pytest.raises(NotConfigured, match="llm keys set local"):
        await (await make(models="keyed*")).list_models()


async def test_an_unknown_model_and_a_new_one(local: LocalPlugin, make: Make) -> None:
    provider = await make()
    await provider.list_models()
    with pytest.raises(ModelNotFound, match="more-0"):
        await events_of(provider, said("?", model="more-0"))
    local.more = 1
    assert await text_of(provider, said("?", model="more-0")) == "?"


async def test_a_plugin_that_fails_keeps_no_other_away(local: LocalPlugin, make: Make) -> None:
    class Broken:
        fails = False

        @llm.hookimpl
        def register_models(self, register: Any) -> None:
            if self.fails:
                raise OSError("its service can't be reached")
            register(None, type(local.models["async"])("remote", local))

    broken = Broken()
    pm.register(broken, name="broken")
    try:
        provider = await make(models="remote sync")
        for broken.fails in (False, True):
            assert [model.id for model in await provider.list_models()] == ["remote", "sync"]
        broken.fails = True
        fresh = await make(models="remote sync")
        assert [model.id for model in await fresh.list_models()] == ["sync"]
    finally:
        pm.unregister(broken)


async def test_a_model_of_single_questions_says_so(local: LocalPlugin, make: Make) -> None:
    model = type(local.models["async"])("single", local)
    model.supports_conversation = False
    local.extra = [(None, model)]
    provider = await make()
    assert await text_of(provider, said("one", model="single")) == "one"
    with pytest.raises(Unsupported, match="one question at a time"):
        await events_of(provider, said("one", "two", "three", model="single"))


async def test_threads_are_bounded_and_given_back(local: LocalPlugin, make: Make) -> None:
    provider = await make(threads=1)
    local.order("a", "b", "c")
    first = provider.generate(said("?", model="sync"))
    assert await anext(first) == TextDelta("a")
    second = asyncio.create_task(events_of(provider, said("next", model="sync")))
    await asyncio.sleep(0)
    await first.aclose()
    assert [event for event in await second if isinstance(event, TextDelta)] == [TextDelta("next")]


async def test_closing_does_not_wait_for_a_thread_that_waits_for_a_service(local: LocalPlugin, make: Make) -> None:
    provider = await make(timeout_seconds=0.05)
    for _ in range(3):
        local.order("a", STALL)
    with pytest.raises(Unavailable, match="nothing has come"):
        await events_of(provider, said("?", model="sync"))
    local.closing.set()
    await provider.aclose()
    await provider.aclose()


async def test_llm_writes_no_log_of_prompts(local: LocalPlugin, make: Make, own_folder: Path) -> None:
    assert await text_of(await make(), said("hello")) == "hello"
    assert [path.name for path in files_in(own_folder)] == ["keys.json"]
