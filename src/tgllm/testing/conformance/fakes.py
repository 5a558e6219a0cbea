"""Gemini, Mistral, DeepSeek and OpenAI-format providers under test, with tgllm's fake servers as their services."""

import asyncio
import base64
from collections.abc import Callable, Iterable, Mapping
from types import TracebackType
from typing import ClassVar, Generic, Self, TypeVar, cast

from tgllm.api.errors import (
    AuthFailed,
    BadResponse,
    ContextTooLong,
    ProviderError,
    QuotaExceeded,
    RateLimited,
    Refused,
    Unavailable,
)
from tgllm.api.types import Usage
from tgllm.testing.conformance.under_test import ProviderUnderTest
from tgllm.testing.fake_providers import (
    Answer,
    FakeDipseek,
    FakeError,
    FakeGemini,
    FakeMistral,
    FakeOpenAI,
    FakeRequest,
    FakeServer,
    Signal,
)

__all__ = ["DipseekUnderTest", "FakeUnderTest", "GeminiUnderTest", "MistralUnderTest", "OpenAIUnderTest"]

F = TypeVar("F", bound=FakeServer)

_URL_ALPHABET = str.maketrans("+/", "-_")


class FakeUnderTest(ProviderUnderTest, Generic[F]):
    """A provider with a fake server, which writes its answers byte by byte."""

    fake_type: type[F]
    garbage: ClassVar[bytes] = b'data: {"choices": [broken\n\n'
    """An invalid event of a stream."""

    def __init__(self) -> None:
        """Create the fake server; ``__aenter__`` starts it."""
        self.fake = self.fake_type(write_bytes=1)
        self._reasoning: str | None = None

    async def __aenter__(self) -> Self:
        """Start the fake server."""
        await self.fake.start()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        """Stop the fake server."""
        await self.fake.stop()

    @property
    def settings(self) -> Mapping[str, object]:
        """Return the key and the base URL of the fake server."""
        return {"api_key": self.fake.key, "base_url": self.fake.base_url}

    @property
    def open_streams(self) -> int:
        """Return the number of answers that the fake server is writing."""
        return self.fake.open_streams

    @property
    def open_connections(self) -> int:
        """Return the number of open connections to the fake server."""
        return self.fake.open_connections

    def answer(self, *pieces: str, reasoning: str = "", usage: Usage | None = None) -> None:
        """Set the next answer."""
        self._reasoning = reasoning or None
        self.fake.answer(pieces, reasoning=reasoning, usage=usage)

    def stall(self, *pieces: str) -> None:
        """Set the next answer to one that stops without an end."""
        self.fake.answer([*pieces, asyncio.Event()])

    def cut(self, *pieces: str) -> None:
        """Set the next answer to one whose connection is closed in the middle."""
        self.fake.answer([*pieces, Signal.CUT])

    def fail(self, kind: type[ProviderError], retry_after: float | None = None) -> None:
        """Fail as the API does, from now on."""
        if kind is ContextTooLong:
            self.fake.context_window = 1
        elif kind is Refused:
            self.fake.refuse()
        elif kind is BadResponse:
            self.fake.order(Answer((self.garbage,)))
        else:
            self.fake.fault("", self._error(kind, retry_after), times=None)

    def fail_midway(self, kind: type[ProviderError], *pieces: str) -> None:
        """Order an answer with an error inside its stream."""
        self.fake.answer([*pieces, self.garbage if kind is BadResponse else self._error(kind, None)])

    def end_early(self, *pieces: str) -> None:
        """Order an answer whose stream ends normally, but without a finish reason or ``[DONE]``."""
        self.fake.answer([*pieces, Signal.EOF])

    def deviate(self, name: str, *pieces: str) -> None:
        """Order a complete answer with a deviation from the API's format."""
        self._reasoning = None
        self.fake.deviate(name, pieces)

    def fail_in_place(self, form: str, words: str) -> None:
        """Send an error in place of every answer from now on."""
        self.fake.fail_in_place(form, words)

    def count_questions(self) -> int:
        """Return the number of requests for an answer, including failed ones."""
        return len(self._questions())

    def saw(self, text: str) -> bool:
        """Return whether any value in the body of the last request for an answer contains the text."""
        return any(text in value for value in self._asked())

    def saw_file(self, content: bytes) -> bool:
        """Return whether the body of the last request for an answer contains the file, in base64 or as text."""
        forms = {base64.b64encode(content).decode(), content.decode(errors="replace")}
        return any(form in value for value in self._asked() for form in forms)

    def to_replay(self) -> str | None:
        """Return the reasoning of the last answer."""
        return self._reasoning

    def _error(self, kind: type[ProviderError], retry_after: float | None) -> FakeError:
        errors = self.fake.errors
        made: dict[type[ProviderError], Callable[[], FakeError]] = {
            # The error contains the key, as from a service that repeats its input.
            AuthFailed: lambda: errors.wrong_key(self.fake.key),
            ContextTooLong: lambda: errors.too_long(10, 5),
            QuotaExceeded: errors.out_of_quota,
            RateLimited: lambda: errors.rate_limited(retry_after),
            Unavailable: errors.overloaded,
        }
        return made[kind]()

    def _asked(self) -> list[str]:
        """Return all values in the body of the last request for an answer, as text."""
        questions = self._questions()
        return list(_values(questions[-1].body)) if questions else []

    def _questions(self) -> list[FakeRequest]:
        return [request for request in self.fake.requests if _is_question(request.path)]


class MistralUnderTest(FakeUnderTest[FakeMistral]):
    """The Mistral API."""

    model = "mistral-medium-3-5"
    fake_type = FakeMistral


class DipseekUnderTest(FakeUnderTest[FakeDipseek]):
    """The DeepSeek API."""

    model = "deepseek-flash"
    fake_type = FakeDipseek


class OpenAIUnderTest(FakeUnderTest[FakeOpenAI]):
    """A service with OpenAI's format that takes every field, and sends reasoning in ``reasoning_content``."""

    model = "large"
    fake_type = FakeOpenAI

    def __init__(self) -> None:
        """Create the fake server; ``__aenter__`` starts it."""
        super().__init__()
        self.fake = FakeOpenAI("plain", write_bytes=1)

    def to_replay(self) -> str | None:
        """Return nothing: the service takes no reasoning back."""
        return None


class GeminiUnderTest(FakeUnderTest[FakeGemini]):
    """The Gemini API, with an API key (not Vertex AI)."""

    model = "gemini-3.8-flash"
    fake_type = FakeGemini
    garbage = b'data: {"candidates": [broken\r\n\r\n'

    def saw(self, text: str) -> bool:
        """Return whether the last request contained the text, in either base64 alphabet (protobuf JSON allows both)."""
        return super().saw(text) or super().saw(text.translate(_URL_ALPHABET))

    def to_replay(self) -> str | None:
        """Return the thought signature of the last answer."""
        return self.fake.signatures.last


def _is_question(path: str) -> bool:
    return path.endswith(("/chat/completions", ":generateContent", ":streamGenerateContent"))


def _values(json: object) -> Iterable[str]:
    if isinstance(json, Mapping):
        for value in cast("Mapping[str, object]", json).values():
            yield from _values(value)
    elif isinstance(json, list):
        for value in cast("list[object]", json):
            yield from _values(value)
    else:
        yield str(json)
