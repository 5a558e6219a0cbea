"""The providers of the Gemini, Mistral and DeepSeek APIs under test: on tgllm's own fakes of those services."""

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
from tgllm.testing.fake_providers import FakeDipseek, FakeError, FakeGemini, FakeMistral, FakeServer, Signal
from tgllm.testing.fake_providers.base.answers import Answer

__all__ = ["DipseekUnderTest", "FakeUnderTest", "GeminiUnderTest", "MistralUnderTest"]

F = TypeVar("F", bound=FakeServer)

_URL_ALPHABET = str.maketrans("+/", "-_")


class FakeUnderTest(ProviderUnderTest, Generic[F]):
    """A provider whose service is one of the fakes, which writes its answers byte by byte."""

    fake_type: type[F]
    garbage: ClassVar[bytes] = b'data: {"choices": [broken\n\n'
    """An event of a stream that is none."""

    def __init__(self) -> None:
        """Make the fake; it serves from ``__aenter__`` on."""
        self.fake = self.fake_type(write_bytes=1)
        self._reasoning: str | None = None

    async def __aenter__(self) -> Self:
        """Start the fake."""
        await self.fake.start()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        """Stop it."""
        await self.fake.stop()

    @property
    def settings(self) -> Mapping[str, object]:
        """Its key and address."""
        return {"api_key": self.fake.key, "base_url": self.fake.base_url}

    @property
    def open_streams(self) -> int:
        """Answers that it is writing."""
        return self.fake.open_streams

    @property
    def open_connections(self) -> int:
        """Connections to it."""
        return self.fake.open_connections

    def answer(self, *pieces: str, reasoning: str = "", usage: Usage | None = None) -> None:
        """Order an answer."""
        self._reasoning = reasoning or None
        self.fake.answer(pieces, reasoning=reasoning, usage=usage)

    def stall(self, *pieces: str) -> None:
        """Order an answer that does not go on."""
        self.fake.answer([*pieces, asyncio.Event()])

    def cut(self, *pieces: str) -> None:
        """Order an answer whose connection is cut."""
        self.fake.answer([*pieces, Signal.CUT])

    def fail(self, kind: type[ProviderError], retry_after: float | None = None) -> None:
        """Fail from now on, as the API does."""
        if kind is ContextTooLong:
            self.fake.context_window = 1
        elif kind is Refused:
            self.fake.refuse()
        elif kind is BadResponse:
            self.fake.order(Answer((self.garbage,)))
        else:
            self.fake.fault("", self._error(kind, retry_after), times=None)

    def saw(self, text: str) -> bool:
        """Whether any value of the last question's body holds the text."""
        return any(text in value for value in self._asked())

    def saw_file(self, content: bytes) -> bool:
        """Whether the last question's body holds the file, in base64 or as text."""
        forms = {base64.b64encode(content).decode(), content.decode(errors="replace")}
        return any(form in value for value in self._asked() for form in forms)

    def to_replay(self) -> str | None:
        """The reasoning of the last answer."""
        return self._reasoning

    def _error(self, kind: type[ProviderError], retry_after: float | None) -> FakeError:
        errors = self.fake.errors
        made: dict[type[ProviderError], Callable[[], FakeError]] = {
            # The service repeats what it was given, as a careless one might.
            AuthFailed: lambda: errors.wrong_key(self.fake.key),
            QuotaExceeded: errors.out_of_quota,
            RateLimited: lambda: errors.rate_limited(retry_after),
            Unavailable: errors.overloaded,
        }
        return made[kind]()

    def _asked(self) -> list[str]:
        """All values of the body of the last question, as text."""
        bodies = [request.body for request in self.fake.requests if _is_question(request.path)]
        return list(_values(bodies[-1])) if bodies else []


class MistralUnderTest(FakeUnderTest[FakeMistral]):
    """The Mistral API."""

    model = "mistral-medium-3-5"
    fake_type = FakeMistral


class DipseekUnderTest(FakeUnderTest[FakeDipseek]):
    """The DeepSeek API."""

    model = "deepseek-flash"
    fake_type = FakeDipseek


class GeminiUnderTest(FakeUnderTest[FakeGemini]):
    """The Gemini API, with a developer's key."""

    model = "gemini-3.8-flash"
    fake_type = FakeGemini
    garbage = b'data: {"candidates": [broken\r\n\r\n'

    def saw(self, text: str) -> bool:
        """Whether the last question held the text; one in base64 may be in either alphabet, as protobuf allows."""
        return super().saw(text) or super().saw(text.translate(_URL_ALPHABET))

    def to_replay(self) -> str | None:
        """The thought signature of the last answer."""
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
