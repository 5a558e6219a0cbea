"""llm's own models of OpenAI, whose client speaks HTTP, with a fake of its API."""

import gc
import logging
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from tgllm.api import AuthFailed, ChatMessage, ChatRequest, ModelNotFound, ProviderError, RateLimited, TextPart
from tgllm.testing.asking import failure, hear, question
from tgllm.testing.fake_providers import FakeError, FakeOpenAI
from tgllm.testing.making import Make

# llm opens a client for each answer, and leaves its closing to the garbage collector.
pytestmark = [
    pytest.mark.filterwarnings("ignore:unclosed:ResourceWarning"),
    pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning"),
]

# Nothing is tried again by the vendor's library, which waits in real time.
MODELS = """
- model_id: fake
  model_name: large
  api_base: {url}
  api_key_name: fake
  vision: true
  reasoning: true
- model_id: unknown
  model_name: no-such-model
  api_base: {url}
  api_key_name: fake
"""


@pytest.fixture
async def fake(own_folder: Path, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[FakeOpenAI]:
    monkeypatch.setattr("openai._base_client.DEFAULT_MAX_RETRIES", 0)
    async with FakeOpenAI("plain") as server:
        write(own_folder / "extra-openai-models.yaml", MODELS.format(url=server.base_url))
        yield server
        # Here, where its warnings are expected, and not in a later test.
        gc.collect()


def write(path: Path, text: str) -> None:
    path.write_text(text, encoding="utf-8")


async def test_a_question_with_its_history(fake: FakeOpenAI, make: Make) -> None:
    provider = await make(keys={"fake": fake.key})
    fake.answer(["Good ", "morning"])
    earlier = (ChatMessage("user", (TextPart("one"),)), ChatMessage("assistant", (TextPart("two"),)))
    asked = question("fake", "three", system="Be brief.", temperature=0.0)

    heard = await hear(provider, ChatRequest("fake", (*earlier, *asked.messages), system="Be brief.", temperature=0.0))

    assert heard.text == "Good morning"
    assert heard.finished.usage.output_tokens
    body = fake.requests[-1].body
    assert body["temperature"] == 0.0
    assert [(each["role"], each["content"]) for each in body["messages"]] == [
        ("system", "Be brief."),
        ("user", "one"),
        ("assistant", "two"),
        ("user", "three"),
    ]


async def test_errors_of_the_vendors_library(fake: FakeOpenAI, make: Make, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    key = "sk-of-another-service-0123456789"
    found: list[type[ProviderError]] = []
    error = await failure(await make(keys={"fake": key}), question("fake", "?"))
    assert key not in f"{error} {error.params} {caplog.text}"
    found.append(type(error))
    provider = await make(keys={"fake": fake.key})
    found.append(type(await failure(provider, question("unknown", "?"))))
    fake.fault("", FakeError(429, {"error": {"message": "slow down", "code": "rate_limit_exceeded"}}), times=None)
    found.append(type(await failure(provider, question("fake", "?"))))
    assert found == [AuthFailed, ModelNotFound, RateLimited]
