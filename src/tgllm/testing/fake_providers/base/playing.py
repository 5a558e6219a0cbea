"""Output of an answer, as a stream or as one body."""

import asyncio
import json
from collections.abc import Iterable, Iterator
from itertools import groupby
from typing import TypeAlias

from aiohttp import web

from tgllm.api.clock import Clock
from tgllm.api.events import FileDelta, ReasoningDelta, TextDelta, ToolCall
from tgllm.testing.fake_providers.base.answers import Answer, Signal, Step
from tgllm.testing.fake_providers.base.deviations import Body, Sent, break_off, deviate
from tgllm.testing.fake_providers.base.errors import FakeError, Refusal
from tgllm.testing.fake_providers.base.wire import Wire

__all__ = ["ConnectionCut", "Player"]

_DATA = "data: "
_DONE = "[DONE]"
_CONTINUES, _CONTINUED = 0xC0, 0x80
"""Bits of the bytes of a character in UTF-8 after its first one (RFC 3629)."""
_TURNS = 4
"""Turns of the event loop until a client in the same process has read."""
_ENDLESS_PAUSE = 0.005  # in seconds; lets other tasks run


_Unit: TypeAlias = Step | tuple[ToolCall, ...]


class ConnectionCut(Exception):
    """Aborts the connection."""


class Player:
    """Writer of an answer to a request.

    ``write_bytes`` is the number of bytes in a write, so that events, lines and characters are spread over several
    reads of the client; None writes whole events.
    """

    def __init__(self, request: web.Request, wire: Wire, clock: Clock, write_bytes: int | None) -> None:
        self._request = request
        self._wire = wire
        self._clock = clock
        self._write_bytes = write_bytes

    async def whole(self, answer: Answer) -> web.StreamResponse:
        """Respond with one body, after the waits in the steps. An error in any step replaces the answer."""
        for error in (answer.error, *answer.steps):
            if isinstance(error, FakeError):
                raise Refusal(error)
        response = await self._open("application/json")
        for step in answer.steps:
            match step:
                case asyncio.Event():
                    await step.wait()
                case Signal.KEEP_ALIVE:
                    await self._write(response, b"\n")
                case Signal.CUT:
                    raise ConnectionCut
                case _:
                    pass
        await self._write(response, json.dumps(self._wire.whole(answer), ensure_ascii=False).encode())
        await response.write_eof()
        return response

    async def stream(self, answer: Answer) -> web.StreamResponse:
        """Respond with server-sent events, or with what the answer orders instead."""
        body = answer.body
        if answer.deviation:
            body = deviate(answer.deviation, await self._sent(answer))
        elif answer.broken:
            body = break_off(answer.broken, await self._events(answer))
        if body is not None:
            return await self._send(body)
        response = await self._open("text/event-stream")
        await self._write(response, self._wire.begin())
        if await self._play(response, answer):
            await self._write(response, self._wire.end(answer))
        await response.write_eof()
        return response

    async def _sent(self, answer: Answer) -> Sent:
        """Return the documents of an answer, without its waits and keep-alives."""
        stream = (await self._events(answer) + self._wire.end(answer)).decode()
        lines = [line.rstrip("\r").removeprefix(_DATA) for line in stream.split("\n") if line.startswith(_DATA)]
        chunks = [json.loads(line) for line in lines if line != _DONE]
        return Sent(chunks, self._wire.whole(answer), has_done=_DONE in lines)

    async def _events(self, answer: Answer) -> bytes:
        """Return the events of an answer up to its end."""
        steps = [await self._bytes(unit, answer.call_form) for unit in _units(answer.steps)]
        return b"".join([self._wire.begin(), *steps])

    async def _send(self, body: Body) -> web.StreamResponse:
        response = await self._open(body.content_type, body.encoding)
        await self._write(response, body.content)
        if body.is_cut:
            raise ConnectionCut
        await response.write_eof()
        return response

    async def _play(self, response: web.StreamResponse, answer: Answer) -> bool:
        """Write the steps; return whether the end of the answer follows."""
        while True:
            for step in _units(answer.steps):
                if step is Signal.EOF:
                    return False
                await self._write(response, await self._bytes(step, answer.call_form))
                if isinstance(step, FakeError):
                    return False
            if not answer.endless:
                break
            await self._clock.sleep(_ENDLESS_PAUSE)
        if answer.error is not None:
            await self._write(response, self._wire.error(answer.error))
        return answer.error is None

    async def _bytes(self, step: _Unit, call_form: str) -> bytes:
        match step:
            case str() | TextDelta() | ReasoningDelta() | FileDelta() | tuple():
                return self._said(step, call_form)
            case FakeError():
                return self._wire.error(step)
            case asyncio.Event():
                await step.wait()
                return b""
            case bytes():
                return step
            case Signal.KEEP_ALIVE:
                return self._wire.keep_alive()
            case Signal.CUT:
                raise ConnectionCut
            case _:
                return b""

    def _said(self, step: str | TextDelta | ReasoningDelta | FileDelta | tuple[ToolCall, ...], call_form: str) -> bytes:
        match step:
            case str():
                return self._wire.text(step)
            case TextDelta():
                return self._wire.text(step.text)
            case ReasoningDelta():
                return self._wire.reasoning(step.text)
            case FileDelta():
                return self._wire.file(step)
            case _:
                return self._wire.calls(step, call_form)

    async def _open(self, content_type: str, encoding: str = "") -> web.StreamResponse:
        packed = {"Content-Encoding": encoding} if encoding else {}
        response = web.StreamResponse(headers={"Content-Type": content_type, "Cache-Control": "no-cache", **packed})
        await response.prepare(self._request)
        return response

    async def _write(self, response: web.StreamResponse, data: bytes) -> None:
        size = self._write_bytes or max(len(data), 1)
        for start in range(0, len(data), size):
            end = start + size
            await response.write(data[start:end])
            if data[end : end + 1] and data[end] & _CONTINUES == _CONTINUED:
                # In the middle of a character: the client reads what it has before the rest comes.
                for _ in range(_TURNS):
                    await self._clock.sleep(0)


def _units(steps: Iterable[Step]) -> Iterator[_Unit]:
    """Yield the steps, with calls that follow each other as one."""
    for are_calls, group in groupby(steps, key=lambda step: isinstance(step, ToolCall)):
        if are_calls:
            yield tuple(step for step in group if isinstance(step, ToolCall))
        else:
            yield from group
