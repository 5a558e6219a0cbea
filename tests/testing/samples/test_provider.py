"""The demo's own answers, and those that it leaves to a model."""

import json
from dataclasses import replace

import pytest

from tgllm.api import ChatMessage, ChatRequest, ModelNotFound, TextPart, ToolCall, ToolDefinition, ToolResultPart
from tgllm.bot.rendering.payloads import EntityText
from tgllm.bot.rendering.render import render
from tgllm.testing.asking import hear, question
from tgllm.testing.clock import HurriedClock
from tgllm.testing.samples.calls import CALL_SAMPLES, CallSample
from tgllm.testing.samples.provider import DemoProvider
from tgllm.testing.samples.samples import LABEL, SAMPLES, STORY, Sample
from tgllm.testing.scripted import ScriptedProvider

NO_STORY = [sample for sample in SAMPLES if sample is not STORY]


def demo(inner: ScriptedProvider, name: str = "tiny") -> DemoProvider:
    return DemoProvider(inner, "model", name, HurriedClock(), delay=0.1)


def turn(asked: str, answered: str) -> tuple[ChatMessage, ChatMessage]:
    return ChatMessage("user", (TextPart(asked),)), ChatMessage("assistant", (TextPart(answered),))


@pytest.mark.parametrize("sample", NO_STORY, ids=lambda sample: sample.suggestion.label)
async def test_a_sample_is_labelled_as_written_beforehand(sample: Sample) -> None:
    inner = ScriptedProvider()

    heard = await hear(demo(inner), question("tiny", f" {sample.suggestion.text}\n"))

    assert heard.text == LABEL + sample.answer.strip()
    assert inner.requests == []


async def test_the_story_is_the_models_own() -> None:
    inner = ScriptedProvider()
    inner.answer("Once upon a time")

    assert (await hear(demo(inner), question("tiny", STORY.suggestion.text))).text == "Once upon a time"


async def test_the_story_is_requested_without_the_short_answers_before_it() -> None:
    inner = ScriptedProvider()
    messages = (*turn("Answer in one sentence.", "Yes."), ChatMessage("user", (TextPart(STORY.suggestion.text),)))

    await hear(demo(inner), ChatRequest("tiny", messages))

    assert inner.told == [STORY.suggestion.text]
    assert (inner.requests[-1].max_output_tokens or 0) >= 1000


async def test_without_a_model_the_story_is_a_sample_long_enough_to_be_stopped() -> None:
    heard = await hear(demo(ScriptedProvider(), "echo"), question("echo", STORY.suggestion.text))

    assert heard.text.startswith(LABEL)
    assert len(heard.text.split()) > 500


async def test_any_other_question_goes_to_the_model_without_the_samples() -> None:
    inner = ScriptedProvider()
    messages = (
        *turn(NO_STORY[0].suggestion.text, LABEL + NO_STORY[0].answer),
        *turn("Who are you?", "A tiny model."),
        ChatMessage("user", (TextPart("And now?"),)),
    )

    heard = await hear(demo(inner), ChatRequest("tiny", messages))

    assert heard.text == "And now?"
    assert inner.told == ["Who are you?", "A tiny model.", "And now?"]
    assert inner.requests[-1].model == "model"


async def test_its_one_model() -> None:
    provider = demo(ScriptedProvider())

    assert [model.id for model in await provider.list_models()] == ["tiny"]
    with pytest.raises(ModelNotFound):
        await hear(provider, question("other", "Hello"))


def test_the_table_keeps_its_form_on_a_small_screen_while_it_grows() -> None:
    (draft,) = render(SAMPLES[0].answer, rich="never")
    assert isinstance(draft, EntityText)
    lines = draft.text.splitlines()

    assert lines[1].startswith("---")
    assert max(map(len, lines[:5])) <= 36


def test_the_suggestions_are_short_and_unlike() -> None:
    labels = [sample.suggestion.label for sample in SAMPLES]

    assert len(set(labels)) == len(labels)
    assert all(len(label) <= 25 for label in labels)


TOOLS = tuple(
    ToolDefinition(name, "", {"type": "object"}) for name in ("calculator", "clock", "search_history", "order_pizza")
)


@pytest.mark.parametrize(
    "sample", [sample for sample in CALL_SAMPLES if sample.calls], ids=lambda sample: sample.suggestion.label
)
async def test_a_sample_calls_its_tools_and_tells_what_they_return(sample: CallSample) -> None:
    inner = ScriptedProvider()
    asked = replace(question("tiny", sample.suggestion.text), tools=TOOLS)

    events = [event async for event in demo(inner).generate(asked)]
    calls = [event for event in events if isinstance(event, ToolCall)]
    parts = tuple(ToolResultPart(call.id, call.name, f"{call.name} says\nyes") for call in calls)
    heard = await hear(demo(inner), replace(asked, messages=(*asked.messages, ChatMessage("user", parts))))

    assert [(call.name, json.loads(call.arguments)) for call in calls] == [*sample.calls]
    assert heard.text.startswith(LABEL + sample.answer)
    assert all(f"> {call.name} says\n> yes" in heard.text for call in calls)
    assert inner.requests == []


async def test_without_tools_the_model_answers_such_a_question() -> None:
    inner = ScriptedProvider()
    inner.answer("I can't order.")

    assert (await hear(demo(inner), question("tiny", "Order a pizza for me"))).text == "I can't order."


async def test_a_tiny_model_gets_no_tools() -> None:
    inner = ScriptedProvider()
    inner.answer("Hello.")

    await hear(demo(inner), replace(question("tiny", "Hi"), tools=TOOLS))

    assert inner.requests[-1].tools == ()
