"""The plugin's own tests, as its author wrote them for tgllm 0.1."""

import base64
import hashlib
from collections.abc import AsyncIterator, Mapping
from pathlib import Path
from types import SimpleNamespace
from typing import ClassVar, Self

import pytest
import tgllm_test_good_10

from tgllm.api import FilePart, Provider, ProviderError, RateLimited, TextDelta, Usage
from tgllm.testing.asking import hear, question
from tgllm.testing.bot import running_bot, settings_for
from tgllm.testing.clock import HurriedClock, ManualClock
from tgllm.testing.conformance import ProviderConformance, ProviderUnderTest
from tgllm.testing.conformance.fakes import DipseekUnderTest
from tgllm.testing.emulator import Emulator
from tgllm.testing.fake_providers import Answer, FakeDipseek, FakeError, Signal
from tgllm.testing.fake_providers.dipseek_errors import DipseekErrors
from tgllm.testing.fixtures import StartBot
from tgllm.testing.scripted import GivenPlugin, ScriptedProvider

MODEL = "deepseek-flash"


class TestOnTheFakeThatComesWithTgllm(ProviderConformance):
    plugin = "tgllm_test_good_10"
    under_test = DipseekUnderTest


class ServiceOfItsOwn(ProviderUnderTest):
    """All that the kit of then asked for."""

    model = MODEL

    def __init__(self) -> None:
        self.fake = FakeDipseek(key="good-10/secret+key", write_bytes=3)

    async def __aenter__(self) -> Self:
        await self.fake.start()
        return self

    async def __aexit__(self, *error: object) -> None:
        await self.fake.stop()

    @property
    def settings(self) -> Mapping[str, object]:
        return {"api_key": self.fake.key, "base_url": self.fake.base_url}

    @property
    def open_streams(self) -> int:
        return self.fake.open_streams

    @property
    def open_connections(self) -> int:
        return self.fake.open_connections

    def answer(self, *pieces: str, reasoning: str = "", usage: Usage | None = None) -> None:
        self.reasoning = reasoning
        self.fake.answer(pieces, reasoning=reasoning, usage=usage)

    def cut(self, *pieces: str) -> None:
        self.fake.order(Answer((*pieces, Signal.CUT)))

    def fail(self, kind: type[ProviderError], retry_after: float | None = None) -> None:
        errors = {
            "AuthFailed": self.fake.errors.wrong_key("***"),
            "RateLimited": DipseekErrors().rate_limited(retry_after),
        }
        self.fake.fault("", errors.get(kind.__name__, FakeError.html(503)), times=None)

    def saw(self, text: str) -> bool:
        return text in str(self.fake.requests[-1].body)

    def saw_file(self, content: bytes) -> bool:
        return self.saw(base64.b64encode(content).decode())

    def to_replay(self) -> str | None:
        return self.reasoning


class TestOnAServiceOfItsOwn(ProviderConformance):
    plugin = "tgllm_test_good_10"
    under_test = ServiceOfItsOwn
    allowed_imports = frozenset({"iniconfig"})
    seconds = 20.0
    exempt: ClassVar = {
        "test_pieces_come_as_they_are_sent": "the service does not stall",
        "test_cancellation_closes_the_connection": "the service does not stall",
        "test_aclose_in_the_middle_closes_the_connection": "the service does not stall",
        "test_it_answers_after_a_stream_was_closed": "the service does not stall",
        "test_a_failure_is_mapped[BadResponse]": "the service does not fail so",
        "test_a_failure_is_mapped[ContextTooLong]": "the service does not fail so",
        "test_a_failure_is_mapped[QuotaExceeded]": "the service does not fail so",
        "test_a_failure_is_mapped[Refused]": "the service does not fail so",
    }


@pytest.fixture
async def fake() -> AsyncIterator[FakeDipseek]:
    async with FakeDipseek() as fake:
        yield fake


@pytest.fixture
async def provider(fake: FakeDipseek) -> AsyncIterator[Provider]:
    settings = tgllm_test_good_10.Settings(api_key=fake.key, base_url=fake.base_url)
    (spec,) = tgllm_test_good_10.tgllm_providers(None)
    provider = spec.create(SimpleNamespace(settings=settings, clock=HurriedClock()))
    yield provider
    await provider.aclose()


async def test_a_picture_is_asked_about_once_more(fake: FakeDipseek, provider: Provider, tmp_path: Path) -> None:
    path = tmp_path / "picture"
    path.write_bytes(b"PNG")
    fake.answer(error=fake.errors.rate_limited(5))

    heard = await hear(
        provider, question(MODEL, "Look", FilePart(path, "image/png", 3, hashlib.sha256(b"PNG").hexdigest()))
    )

    assert heard.text == "Look"
    assert heard.finished.reason == "stop"
    assert len(fake.requests) == 2


async def test_a_long_wait_is_told(fake: FakeDipseek, provider: Provider) -> None:
    fake.answer(error=fake.errors.rate_limited(60))

    with pytest.raises(RateLimited) as caught:
        await hear(provider, question(MODEL, "Hello"), seconds=5.0)
    assert caught.value.retry_after == 60


async def test_the_bot_answers(emulator: Emulator, start_bot: StartBot) -> None:
    ann = emulator.add_user(first_name="Ann")
    plugin = GivenPlugin.of("good_10", tgllm_test_good_10)
    async with FakeDipseek() as fake:
        environ = {"GOOD_10_KEY": fake.key, "TGLLM_PLUGINS__GOOD_10__BASE_URL": fake.base_url}
        model = f"ten/{MODEL}"
        async with start_bot(admins=[ann.id], plugins=[plugin], environ=environ, default_model=model):
            await ann.say("Good morning")
            answer = await emulator.wait_for_message(ann.private_chat())
            await ann.say("/tally ships")
            tally = await emulator.wait_for_message(ann.private_chat(), after=answer)
        (asked,) = [request for request in fake.requests if request.path == "/chat/completions"]
        assert asked.body["messages"][0] == {"role": "system", "content": "Answer like a sailor."}
    assert (answer.text, tally.text) == ("Good morning", "Ann asked for ships; answers so far: 1")


async def test_another_provider_is_left_alone(
    emulator: Emulator, start_bot: StartBot, scripted: ScriptedProvider
) -> None:
    bob = emulator.add_user(first_name="Bob")
    plugin = GivenPlugin.of("good_10", tgllm_test_good_10)
    scripted.answer(TextDelta("Yes"), ".")
    async with start_bot(admins=[bob.id], plugins=[plugin], provider=scripted):
        await bob.say("Really?")
        answer = await emulator.wait_for_message(bob.private_chat())
    assert answer.text == "Yes."
    assert (scripted.questions, scripted.told) == (["Really?"], ["Really?"])


async def test_the_tools_for_a_bot_without_fixtures(tmp_path: Path) -> None:
    clock = ManualClock()
    assert clock.monotonic() == 0.0
    async with Emulator() as emulator:
        ann = emulator.add_user(first_name="Ann")
        assert settings_for(emulator, tmp_path, admins=[ann.id]).config
        async with running_bot(emulator, tmp_path, admins=[ann.id]) as bot:
            await ann.say("/ping")
            assert (await emulator.wait_for_message(ann.private_chat())).text == "Bot ready"
            await bot.stop()
