"""The demo: its first message, and its suggestions on the emulated Telegram."""

import sys
from collections.abc import AsyncIterator, Sequence
from pathlib import Path

import pytest
from pydantic import BaseModel

from tgllm import hookimpl
from tgllm.api import PluginInfo, ProviderSpec
from tgllm.testing.clock import HurriedClock
from tgllm.testing.demo import Demo, open_demo
from tgllm.testing.emulator.state.records import EmulatedMessage
from tgllm.testing.local.plugins import LocalPlugins
from tgllm.testing.samples.calls import CALL_SAMPLES, HINT
from tgllm.testing.samples.samples import SAMPLES, Sample
from tgllm.testing.scripted import GivenPlugin, ScriptedProvider


@pytest.fixture
async def demo() -> AsyncIterator[Demo]:
    async with open_demo(model="echo") as demo:
        yield demo


async def test_the_first_message_says_who_answers(demo: Demo) -> None:
    first = demo.ann.private_chat().messages[0]

    assert first.from_bot
    assert "without a language model" in first.text
    assert "written beforehand" in first.text


@pytest.mark.parametrize("sample", [SAMPLES[0], SAMPLES[-1]], ids=lambda sample: sample.suggestion.label)
async def test_a_suggestion_is_answered_with_its_label(demo: Demo, sample: Sample) -> None:
    suggestion, ann = sample.suggestion, demo.ann
    assert suggestion in demo.emulator.suggestions
    if suggestion.file is None:
        asked = await ann.say(suggestion.text)
    else:
        asked = await ann.upload(
            suggestion.file, name=suggestion.file_name, mime=suggestion.mime, kind="photo", caption=suggestion.text
        )

    answer = await demo.emulator.wait_for_message(
        ann.private_chat(), lambda message: "Written beforehand" in message.text, after=asked, timeout=60
    )

    assert answer.text.startswith("Written beforehand, to show what an answer looks like.")


async def test_a_chosen_model_answers_everything_itself() -> None:
    provider = ScriptedProvider()
    provider.answer("A table of my own.")
    async with open_demo(model="scripted/model", plugins=[provider.plugin]) as demo:
        assert "scripted/model" in demo.ann.private_chat().messages[0].text
        asked = await demo.ann.say(SAMPLES[0].suggestion.text)
        answer = await demo.emulator.wait_for_message(demo.ann.private_chat(), after=asked, timeout=60)

    assert answer.text == "A table of my own."


class LocalSettings(BaseModel):
    models: str = ""


class Local(ScriptedProvider):
    """Stands in for the plugin tgllm-local."""

    @hookimpl
    def tgllm_plugin_info(self) -> PluginInfo:
        return PluginInfo(id="local", title="Local", api="1.0", settings=LocalSettings)

    @hookimpl
    def tgllm_providers(self) -> Sequence[ProviderSpec]:
        return (ProviderSpec("local", "Local models", lambda _ctx: self),)


@pytest.mark.parametrize(("environ", "is_offered"), [({}, False), ({"TGLLM_PLUGINS__LOCAL__MODELS": "/srv"}, True)])
async def test_the_plugin_of_the_tiny_model_is_a_provider_only_with_settings(
    environ: dict[str, str], is_offered: bool
) -> None:
    plugins = [GivenPlugin.of("local", Local())]
    async with open_demo(model="echo", plugins=plugins, environ=environ) as demo:
        asked = await demo.ann.say("/model")
        shown = await demo.emulator.wait_for_message(demo.ann.private_chat(), after=asked, timeout=60)

    assert ("Local models" in str(shown.labels)) == is_offered


async def test_without_plugins_it_says_why_echo_answers() -> None:
    async with open_demo() as demo:
        assert demo.model == "echo"
        assert "tgllm-local is not installed" in demo.why_echo


def tea(answer: str) -> str:
    """The code of a plugin whose command and whose model answer with a text."""
    return f"""
from tgllm import hookimpl
from tgllm.api import Button, ChatCommand, Finished, ModelInfo, PluginInfo, Provider, ProviderSpec, Reply, TextDelta


class Tea(Provider):
    async def list_models(self):
        return [ModelInfo("black")]

    async def generate(self, request):
        yield TextDelta("{answer} from a model")
        yield Finished()


async def brew(call):
    return Reply("{answer}", buttons=[[Button("More", url="https://example.org")]])


@hookimpl
def tgllm_plugin_info():
    return PluginInfo("tea", "Tea", "1.1")


@hookimpl
def tgllm_providers():
    return [ProviderSpec("tea", "Tea", lambda ctx: Tea())]


@hookimpl
def tgllm_commands():
    return [ChatCommand("brew", "Brew tea", brew)]
"""


async def test_a_plugin_that_changes_is_loaded_again_and_the_chat_stays(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sys, "path", sys.path[:])
    file = tmp_path / "tgllm_tea_of_a_test.py"
    file.write_text(tea("one"), encoding="utf-8")
    installed = GivenPlugin.of("tea", ScriptedProvider())
    async with open_demo(plugins=[installed], local=LocalPlugins([file], clock=HurriedClock())) as demo:
        chat = demo.ann.private_chat()

        async def ask(text: str) -> str:
            return (await demo.emulator.wait_for_answer(await demo.ann.say(text), timeout=60)).text

        assert demo.model == "tea/black"
        assert [tried.works for tried in demo.tried] == [True]
        assert demo.emulator.suggestions[0].text == "/brew"
        assert await ask("Hello") == "one from a model"
        assert [line.text async for line in demo.try_commands() if line.kind == "said"] == ["/brew", "one [More]"]
        assert await demo.reload() == []
        before = [message.text for message in chat.messages]

        file.write_text("def broken(:", encoding="utf-8")
        (tried,) = await demo.reload()
        assert not tried.works
        assert await ask("/brew") == "one"

        file.write_text(tea("two"), encoding="utf-8")
        (tried,) = await demo.reload()
        assert tried.works
        assert await ask("/brew") == "two"
        assert await ask("Hello") == "two from a model"
        assert [message.text for message in chat.messages][: len(before)] == before


async def test_a_plugin_that_fails_when_the_bot_starts_is_not_said_to_work(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sys, "path", sys.path[:])
    file = tmp_path / "tgllm_cup_of_a_test.py"
    start = "\n\n@hookimpl\nasync def tgllm_startup(ctx):\n    raise RuntimeError('no water')\n"
    file.write_text(tea("one").replace('"tea"', '"cup"') + start, encoding="utf-8")
    async with open_demo(model="echo", local=LocalPlugins([file])) as demo:
        (tried,) = demo.tried
        assert not tried.works
        assert "RuntimeError: no water" in tried.trials[0].problem


async def answered(demo: Demo, text: str) -> EmulatedMessage:
    asked = await demo.ann.say(text)
    return await demo.emulator.wait_for_message(
        demo.ann.private_chat(), lambda message: message.from_bot and bool(message.labels), after=asked, timeout=60
    )


async def test_it_names_a_tool_to_try(demo: Demo) -> None:
    assert HINT in demo.ann.private_chat().messages[0].text

    answer = await answered(demo, 'call calculator {"expression": "2*(3+4)"}')

    assert "2*(3+4) = 14" in answer.text
    assert answer.text.endswith("🧮 calculating")


async def test_its_suggestions_use_tools_and_find_what_was_said(demo: Demo) -> None:
    tools, key, search, _ = (sample.suggestion for sample in CALL_SAMPLES)
    assert [*demo.emulator.suggestions[:4]] == [sample.suggestion for sample in CALL_SAMPLES]

    assert "17% of 2340 = 397.8" in (await answered(demo, tools.text)).text
    await answered(demo, key.text)
    found = await answered(demo, search.text)

    assert "under the blue flower pot" in found.text
    assert "🔎" in found.text


@pytest.mark.parametrize(
    ("button", "told"), [("✅ Once", "nothing was really ordered"), ("❌ No", "was declined by a person")]
)
async def test_a_pizza_is_ordered_only_after_a_press(demo: Demo, button: str, told: str) -> None:
    card = await answered(demo, CALL_SAMPLES[-1].suggestion.text)
    assert "order_pizza" in card.text
    assert "no pineapple" in card.text

    await demo.ann.press(card, button)
    answer = await demo.emulator.wait_for_message(
        demo.ann.private_chat(), lambda message: "how it went" in message.text, after=card, timeout=60
    )

    assert told in answer.text
