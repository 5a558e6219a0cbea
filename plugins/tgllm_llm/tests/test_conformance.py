"""The provider keeps the contract that tgllm's kit checks, with a model of each form in place of a service."""

import base64
import json
from collections.abc import Mapping, Sequence
from types import SimpleNamespace, TracebackType
from typing import Any, ClassVar

import pytest

from local_llm.models import STALL, LocalPlugin, StatusError, thought
from tgllm.api import FinishReason, ModelInfo, ProviderError, Usage
from tgllm.testing.conformance import ProviderConformance, ProviderUnderTest

KEY = "sk-fake-key-0123456789"
FAILURES = {
    "AuthFailed": (401, f"Incorrect API key provided: {KEY}", "invalid_api_key"),
    "ContextTooLong": (400, "The maximum context length is 10 tokens", "context_length_exceeded"),
    "ModelNotFound": (404, "The model does not exist", "model_not_found"),
    "QuotaExceeded": (402, "You exceeded your current quota", "insufficient_quota"),
    "RateLimited": (429, "Too many requests", "rate_limit_exceeded"),
    "Refused": (400, "Blocked by the content filter", "content_filter"),
    "Unavailable": (503, f"Overloaded ({KEY})", "overloaded"),
}
WORDS: Mapping[FinishReason, str] = {
    "stop": "stop",
    "length": "length",
    "filtered": "content_filter",
    "other": "tool_calls",
}
REGISTERED = "the plugins of llm register their models; a service is asked by few of them"
LIBRARIES = "the plugins of llm and the vendors' libraries read what a service sends"
THREAD = "a thread that waits for a service can't be interrupted; it ends at the next piece"


class RemoteProtocolError(Exception):
    """As of an HTTP client whose connection was closed."""


class HTTPStatusError(Exception):
    """As of an HTTP client that was asked to raise for a status."""

    def __init__(self, status: int, body: bytes, headers: Mapping[str, str]) -> None:
        super().__init__(f"error {status}")
        text = body.decode(errors="replace")
        self.response = SimpleNamespace(status_code=status, headers=headers, text=text)


def failure(kind: type[ProviderError], retry_after: float | None = None) -> Exception:
    if kind.__name__ == "BadResponse":
        return json.JSONDecodeError(f"Expecting value {KEY}", "{broken", 1)
    return StatusError(*FAILURES[kind.__name__], {"retry-after": str(retry_after)} if retry_after else {})


class ModelUnderTest(ProviderUnderTest):
    """A model of llm that has an asynchronous form and needs a key."""

    model = "keyed"
    key_setting = "keys.local"
    counts = frozenset({"input_tokens", "output_tokens", "reasoning_tokens", "cached_tokens"})
    local: ClassVar[LocalPlugin]

    @property
    def settings(self) -> Mapping[str, object]:
        return {"keys": {"local": KEY}, "models": ("keyed*", "more-*"), "timeout_seconds": 2}

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self.local.failure = lambda: ConnectionRefusedError(111, "refused")

    @property
    def open_streams(self) -> int:
        return self.local.open_streams

    @property
    def open_connections(self) -> int:
        return self.local.open_streams

    def answer(
        self, *pieces: str, reasoning: str = "", usage: Usage | None = None, finish: FinishReason | None = None
    ) -> None:
        end = {"choices": [{"finish_reason": WORDS[finish]}]} if finish else None
        self.local.order(*([thought(reasoning)] if reasoning else []), *pieces, usage=usage, response_json=end)

    def stall(self, *pieces: str) -> None:
        self.local.order(*pieces, STALL)

    def cut(self, *pieces: str) -> None:
        self.local.order(*pieces, RemoteProtocolError("peer closed connection"))

    def end_early(self, *pieces: str) -> None:
        # As llm's own models of OpenAI, which take the end of the stream as that of the answer.
        self.local.order(*pieces, response_json={"object": "chat.completion.chunk"})

    def break_with(self, form: str, *pieces: str) -> None:
        broken = {"cut": RemoteProtocolError("peer closed connection"), "error event": StatusError(0, "failed", "502")}
        if form == "end":
            self.end_early(*pieces)
        elif form in broken:
            self.local.order(*pieces, broken[form])
        else:
            raise NotImplementedError

    def fail(self, kind: type[ProviderError], retry_after: float | None = None) -> None:
        self.local.failure = lambda: failure(kind, retry_after)

    def fail_midway(self, kind: type[ProviderError], *pieces: str) -> None:
        self.local.order(*pieces, failure(kind))

    def respond(
        self, status: int, body: bytes = b"", headers: Mapping[str, str] | None = None, *, skip: int = 0
    ) -> None:
        self.local.skip = skip
        self.local.failure = lambda: HTTPStatusError(status, body, headers or {})

    def models(self) -> Sequence[ModelInfo]:
        self.local.more = 60
        names = ("keyed", "keyed-sync", *(f"more-{number}" for number in range(60)))
        images = frozenset({"image/png", "image/jpeg"})
        return [ModelInfo(name, mime_types=images, reasoning=True) for name in names]

    def count_questions(self) -> int:
        return len(self.local.prompts)

    def saw(self, text: str) -> bool:
        return json.dumps(text)[1:-1] in json.dumps(self.sent())

    def saw_file(self, content: bytes) -> bool:
        return base64.b64encode(content).decode() in json.dumps(self.sent())

    def saw_roles(self) -> Sequence[tuple[str, str]]:
        return [
            (message.role, "".join(part.text for part in message.parts if part.to_dict()["type"] == "text"))
            for message in self.local.prompts[-1].messages
        ]

    def sent(self) -> Any:
        prompt = self.local.prompts[-1]
        return {
            "messages": [message.to_dict() for message in prompt.messages],
            "options": prompt.options.model_dump(exclude_none=True),
        }


class SyncModelUnderTest(ModelUnderTest):
    """A model of llm that has no asynchronous form, and is read in a thread."""

    model = "keyed-sync"


@pytest.fixture(autouse=True)
def models_of_the_test(local: LocalPlugin, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ModelUnderTest, "local", local, raising=False)


EXEMPT = {
    "test_without_a_key_it_says_what_to_set": "a key belongs to some of the models: a question to one says what to set",
    "test_a_list_that_cannot_be_had_is_an_error": REGISTERED,
    "test_a_broken_list_is_an_error": REGISTERED,
    "test_the_list_is_asked_for_anew": REGISTERED,
    "test_the_user_key_arrives": "llm has no field for it",
    "test_deviations_of_gateways_are_tolerated": LIBRARIES,
    "test_an_error_in_place_of_an_answer_is_told": LIBRARIES,
}


class TestAsync(ProviderConformance):
    plugin = "tgllm_llm.plugin"
    under_test = ModelUnderTest
    wrong_settings = (
        ("threads", 0),
        ("timeout_seconds", 0),
        ("timeout_seconds", "inf"),
        ("context_window", 1),
        ("prices", {"m": {"input": -1, "output": 1}}),
        ("kees", "x"),
    )
    exempt: ClassVar[Mapping[str, str]] = EXEMPT


class TestSync(ProviderConformance):
    plugin = "tgllm_llm.plugin"
    under_test = SyncModelUnderTest
    exempt: ClassVar[Mapping[str, str]] = {
        **EXEMPT,
        "test_cancellation_closes_the_connection": THREAD,
        "test_cancellation_before_the_first_piece_closes_the_connection": THREAD,
        "test_aclose_in_the_middle_closes_the_connection": THREAD,
    }
