"""The made-up service, as the kit orders it about."""

import asyncio
import json
import re
from collections import deque
from collections.abc import AsyncGenerator, Mapping
from typing import Any, Self

from memory.wire import ENDPOINTS, KEY, MODEL, Chunk

from tgllm.api import ProviderError, Usage
from tgllm.testing.conformance import ProviderUnderTest

_LONG = 10_000
ADDRESS = "memory://service"


class MemoryService(ProviderUnderTest):
    """Answers with the question, one byte at a time, unless something else was ordered."""

    model = MODEL

    def __init__(self) -> None:
        self.connections = 0
        self.streams = 0
        self.questions = 0
        self.answers: deque[list[Chunk]] = deque()
        self.failure: str | None = None
        self.in_place: str | None = None
        self.body: dict[str, Any] = {}

    async def __aenter__(self) -> Self:
        ENDPOINTS[ADDRESS] = self
        return self

    async def __aexit__(self, *_: object) -> None:
        del ENDPOINTS[ADDRESS]

    @property
    def settings(self) -> Mapping[str, object]:
        return {"api_key": KEY, "address": ADDRESS}

    @property
    def open_streams(self) -> int:
        return self.streams

    @property
    def open_connections(self) -> int:
        return self.connections

    def answer(self, *pieces: str, reasoning: str = "", usage: Usage | None = None) -> None:
        counted = {"in": usage.input_tokens, "out": usage.output_tokens} if usage else {"in": 4, "out": 4}
        thought: list[Chunk] = [("reasoning", reasoning)] if reasoning else []
        self.answers.append([*thought, *_bytes("".join(pieces)), ("usage", counted), ("end", None)])

    def stall(self, *pieces: str) -> None:
        self.answers.append([*_bytes("".join(pieces)), ("stall", None)])

    def cut(self, *pieces: str) -> None:
        self.answers.append(_bytes("".join(pieces)))

    def fail(self, kind: type[ProviderError], retry_after: float | None = None) -> None:
        self.failure = f"{kind.__name__} {retry_after or ''} refused {KEY}"

    def fail_midway(self, kind: type[ProviderError], *pieces: str) -> None:
        self.answers.append([*_bytes("".join(pieces)), ("error", f"{kind.__name__}  refused {KEY}")])

    def end_early(self, *pieces: str) -> None:
        self.answers.append([*_bytes("".join(pieces)), ("eof", None)])

    def deviate(self, name: str, *pieces: str) -> None:
        self.answers.append([("odd", name), *_bytes("".join(pieces)), ("odd", name), ("end", None)])

    def fail_in_place(self, form: str, words: str) -> None:
        self.in_place = words

    def count_questions(self) -> int:
        return self.questions

    def saw(self, text: str) -> bool:
        return json.dumps(text, ensure_ascii=False)[1:-1] in json.dumps(self.body, ensure_ascii=False)

    def saw_file(self, content: bytes) -> bool:
        return content.hex() in json.dumps(self.body)

    def to_replay(self) -> str | None:
        return "Two and two, let me see."

    def models(self, key: str) -> list[str] | str:
        return self.failure or [MODEL, "memory-2"]

    async def play(self, key: str, body: dict[str, Any]) -> AsyncGenerator[Chunk, None]:
        self.body = body
        self.questions += 1
        self.streams += 1
        try:
            for chunk in self._chunks(key, body):
                if chunk[0] == "stall":
                    await asyncio.Event().wait()
                await asyncio.sleep(0)
                yield chunk
        finally:
            self.streams -= 1

    def _chunks(self, key: str, body: dict[str, Any]) -> list[Chunk]:
        if self.failure:
            return [("error", self.failure)]
        if key != KEY:
            return [("error", f"AuthFailed  refused {key}")]
        if body["model"] != MODEL:
            return [("error", "ModelNotFound  no such model")]
        if self.in_place:
            return [("refusal", self.in_place)]
        if not self.answers:
            self.answer(*re.findall(r"\s*\S+\s*", body["messages"][-1]["text"]))
        return self.answers.popleft()


def _bytes(text: str) -> list[Chunk]:
    data = text.encode()
    step = 1 if len(data) < _LONG else len(data)
    return [("text", data[start : start + step]) for start in range(0, len(data), step)]
