"""Base class of services under test that are fake servers."""

import asyncio
import base64
from collections.abc import Callable, Mapping, Sequence
from types import TracebackType
from typing import Any, ClassVar, Generic, Self, TypeVar

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
from tgllm.api.events import TextDelta, ToolCall
from tgllm.api.types import FinishReason, ModelInfo, ToolCallPart, ToolResultPart, Usage
from tgllm.testing.conformance.json_leaves import leaves
from tgllm.testing.conformance.tools_seen import SeenTools, seen_calls, seen_tools
from tgllm.testing.conformance.under_test import ProviderUnderTest
from tgllm.testing.fake_providers import Answer, FakeError, FakeRequest, FakeServer, Signal
from tgllm.testing.fake_providers.base.server import GATEWAY

__all__ = ["FakeUnderTest"]

F = TypeVar("F", bound=FakeServer)

_BYTEWISE = 10_000
"""Characters of an answer that is written byte by byte; a longer one would take long."""
_EXTRA_MODELS = 60


class FakeUnderTest(ProviderUnderTest, Generic[F]):
    """A provider with a fake server, which writes its answers byte by byte."""

    fake_type: type[F]
    garbage: ClassVar[bytes] = b'data: {"choices": [broken\n\n'
    """An invalid event of a stream."""
    finish_words: ClassVar[Mapping[FinishReason, str]] = {
        "stop": "stop",
        "length": "length",
        "filtered": "content_filter",
        "other": "tool_calls",
    }
    """The API's finish reasons."""
    counts: ClassVar[frozenset[str]] = frozenset({"input_tokens", "output_tokens", "reasoning_tokens", "cached_tokens"})

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

    @property
    def call_forms(self) -> frozenset[str]:
        """Return the forms in which the fake server can stream calls."""
        return self.fake.call_forms

    def addresses(self) -> Mapping[str, Mapping[str, object]]:
        """Return settings with a slash after the base URL, and with the path of a gateway."""
        if self.address_setting not in self.settings:
            return {}
        below = f"{self.fake.base_url}{GATEWAY}"
        # A request that loses the path does not get through with it.
        self.fake.gateway_key = f"{self.fake.key}-of-the-gateway"
        return {
            "a slash at the end": {**self.settings, "base_url": f"{self.fake.base_url}/"},
            "a path": {**self.settings, "base_url": below, self.key_setting: self.fake.gateway_key},
            "a path with a slash": {**self.settings, "base_url": f"{below}/", self.key_setting: self.fake.gateway_key},
        }

    def answer(
        self, *pieces: str, reasoning: str = "", usage: Usage | None = None, finish: FinishReason | None = None
    ) -> None:
        """Set the next answer; empty pieces are sent as such."""
        word = None if finish is None else self.finish_words.get(finish)
        if finish is not None and word is None:
            raise NotImplementedError(f"the API has no finish reason for {finish}")
        self._reasoning = reasoning or None
        if sum(map(len, pieces)) > _BYTEWISE:
            self.fake.write_bytes = None
        self.fake.answer([TextDelta(piece) for piece in pieces], reasoning=reasoning, usage=usage, finish=word)

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

    def break_with(self, form: str, *pieces: str) -> None:
        """Order an answer that breaks after these pieces."""
        if "[DONE]" in form and not self.fake.has_done:
            raise NotImplementedError(f"the API has no [DONE], as in {form!r}")
        self.fake.break_with(form, pieces)

    def deviate(self, name: str, *pieces: str) -> None:
        """Order a complete answer with a deviation from the API's format."""
        self._reasoning = None
        self.fake.deviate(name, pieces)

    def call(
        self,
        *calls: ToolCall,
        text: str = "",
        reasoning: str = "",
        form: str = "",
        finish: FinishReason | None = None,
        cut: bool = False,
    ) -> None:
        """Set the next answer to one with calls of tools."""
        self._reasoning = reasoning or None
        if cut:
            self.fake.answer([*filter(None, [text]), *calls, Signal.CUT], reasoning=reasoning)
            return
        word = None if finish is None else self.finish_words[finish]
        self.fake.call(*calls, text=text, reasoning=reasoning, finish=word, form=form)

    def deviate_with_calls(self, name: str, *calls: ToolCall) -> None:
        """Order a complete answer with calls, and with a deviation from the API's format."""
        self._reasoning = None
        self.fake.deviate(name, calls)

    def refuse_tools(self) -> None:
        """Refuse requests with tools from now on."""
        self.fake.refuses_tools = True

    def saw_tools(self) -> SeenTools:
        """Return the tools in the last request for an answer, as in OpenAI's format."""
        return seen_tools(self.sent())

    def saw_calls(self) -> Sequence[ToolCallPart | ToolResultPart]:
        """Return the calls and results in the last request for an answer, as in OpenAI's format."""
        return seen_calls(self.sent())

    def fail_in_place(self, form: str, words: str) -> None:
        """Send an error in place of every answer from now on."""
        self.fake.fail_in_place(form, words)

    def respond(
        self, status: int, body: bytes = b"", headers: Mapping[str, str] | None = None, *, skip: int = 0
    ) -> None:
        """Send this response to every request from now on, after the next ``skip`` ones."""
        given = dict(headers or {})
        kind = given.pop("Content-Type", "application/json")
        self.fake.faults.clear()
        self.fake.fault("", FakeError(status, body.decode(), given, kind), times=None, skip=skip)

    def models(self) -> Sequence[ModelInfo]:
        """Add models to those of the fake server, and return all chat models with what the API's list says of them."""
        for number in range(_EXTRA_MODELS):
            self.fake.add_model(f"{self.model}-{number:03d}", context_window=32_768)
        return [self.listed(model, entry) for model, entry in self.fake.models.items() if self.is_chat_model(entry)]

    def listed(self, model: str, entry: Mapping[str, Any]) -> ModelInfo:
        """Return what the API's list says of a model: by default its id only."""
        del entry
        return ModelInfo(model)

    def is_chat_model(self, entry: Mapping[str, Any]) -> bool:
        """Return whether an entry of the API's list is a chat model."""
        del entry
        return True

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

    def sent(self) -> object:
        """Return the body of the last request for an answer."""
        return self._questions()[-1].body

    def saw_roles(self) -> Sequence[tuple[str, str]]:
        """Return role and text of each message, as in OpenAI's format."""
        body: Any = self.sent()
        return [(message["role"], _text(message["content"])) for message in body["messages"]]

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
        return [str(value) for _, value in leaves(questions[-1].body)] if questions else []

    def _questions(self) -> list[FakeRequest]:
        return [request for request in self.fake.requests if _is_question(request.path)]


def _is_question(path: str) -> bool:
    return path.endswith(("/chat/completions", "/messages", ":generateContent", ":streamGenerateContent"))


def _text(content: Any) -> str:  # noqa: ANN401  JSON of any form
    """Return the text of a message's content, a string or a list of parts."""
    if isinstance(content, str) or content is None:
        return content or ""
    return "".join(part.get("text", "") for part in content)
