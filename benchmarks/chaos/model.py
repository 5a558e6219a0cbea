"""A model in the OpenAI format that answers numbered questions, counts them, and fails now and then."""

import asyncio
import json
import random
from collections import Counter
from collections.abc import AsyncGenerator, Sequence
from contextlib import asynccontextmanager
from typing import Any, Final

from aiohttp import web

from benchmarks.chaos.questions import TOOLS, Question, find_questions

__all__ = ["Model"]

_LONG: Final = 3_900
"""Length of a part of an answer with several: two of them fit into no message."""
_FILLER: Final = "word "


class Model:
    """The model; ``calls`` counts requests by question."""

    def __init__(self, dice: random.Random, *, faults: float, seconds: float) -> None:
        """Create a model.

        Args:
            dice: for delays and faults.
            faults: part of the requests that fail in a way that allows another try.
            seconds: longest duration of an answer.
        """
        self._dice = dice
        self._faults = faults
        self._seconds = seconds
        self.calls: Counter[str] = Counter()
        self.failed = 0
        """Requests that were failed deliberately."""
        self.without_file = 0
        """Requests that lacked the text of their file."""
        self.without_tool = 0
        """Requests without the tool that the question needs."""
        self.results: dict[str, str] = {}
        """The latest results of tools that came back, by question and version."""
        self.url = ""

    @asynccontextmanager
    async def serving(self) -> AsyncGenerator[None]:
        """Serve within the block."""
        app = web.Application(client_max_size=2**26)
        app.router.add_post("/v1/chat/completions", self._complete)
        app.router.add_get("/v1/models", _models)
        runner = web.AppRunner(app, access_log=None, shutdown_timeout=0.1)
        await runner.setup()
        await web.TCPSite(runner, "127.0.0.1", 0).start()
        host, port = runner.addresses[0][:2]
        self.url = f"http://{host}:{port}"
        try:
            yield
        finally:
            await runner.cleanup()

    async def _complete(self, request: web.Request) -> web.StreamResponse:
        body = await request.json()
        asked, results = _asked(body["messages"])
        last = json.dumps(asked)
        question = next(iter(find_questions(last)), None)
        if question is None:
            return web.json_response({"error": {"message": f"no question in {last[:200]}"}}, status=400)
        if self._dice.random() < self._faults:
            self.failed += 1
            return web.json_response({"error": {"message": "busy"}}, status=self._dice.choice((429, 500, 503)))
        self.calls[f"{question.chat}/{question.number}"] += 1
        if question.has_file and question.file_text not in last:
            self.without_file += 1
        if results:
            self.results[question.name] = json.dumps(results)
        response = web.StreamResponse(headers={"Content-Type": "text/event-stream"})
        try:
            if question.tool and not results and self._has_tool(body, question):
                await self._call(request, response, question)
            else:
                await self._stream(request, response, question)
        except ConnectionError:
            # The program was killed, or the turn was stopped.
            return response
        return response

    def _has_tool(self, body: dict[str, Any], question: Question) -> bool:
        names = {tool["function"]["name"] for tool in body.get("tools") or ()}
        has_tool = TOOLS[question.tool] in names and body.get("tool_choice") != "none"
        self.without_tool += not has_tool
        return has_tool

    async def _call(self, request: web.Request, response: web.StreamResponse, question: Question) -> None:
        """Call the tool of the question; the one that only reads twice at once."""
        await response.prepare(request)
        await asyncio.sleep(self._dice.random() * self._seconds / 4)
        arguments = json.dumps({"question": question.name})
        for index in range(2 if question.tool == 1 else 1):
            function = {"name": TOOLS[question.tool], "arguments": arguments}
            call = {"index": index, "id": f"call_{index}", "type": "function", "function": function}
            await response.write(_chunk({"tool_calls": [call]}))
        await response.write(_event("", "tool_calls"))
        await response.write(b"data: [DONE]\n\n")
        await response.write_eof()

    async def _stream(self, request: web.Request, response: web.StreamResponse, question: Question) -> None:
        await response.prepare(request)
        pieces = _pieces(question)
        pause = self._dice.random() * self._seconds / len(pieces)
        for piece in pieces:
            await asyncio.sleep(pause)
            await response.write(_event(piece))
        await response.write(_event("", "stop"))
        await response.write(b"data: [DONE]\n\n")
        await response.write_eof()


def _pieces(question: Question) -> list[str]:
    length = _LONG if question.parts > 1 else 30
    pieces: list[str] = []
    for part in question.part_names():
        filler = (_FILLER * length)[: length - len(str(part))].rstrip()
        half = len(filler) // 2
        pieces += [f"{part} ", filler[:half], f"{filler[half:]}\n\n"]
    return pieces


def _asked(messages: Sequence[dict[str, Any]]) -> tuple[dict[str, Any], list[Any]]:
    """Return the question, and the results of the tools that were called for it."""
    results: list[Any] = []
    for message in reversed(messages):
        if message["role"] == "tool":
            results.append(message["content"])
        elif message["role"] == "user":
            return message, results
    return {}, results


def _event(piece: str, finish: str | None = None) -> bytes:
    return _chunk({"content": piece}, finish)


def _chunk(delta: dict[str, Any], finish: str | None = None) -> bytes:
    chunk: dict[str, Any] = {
        "id": "chatcmpl-1",
        "object": "chat.completion.chunk",
        "model": "model",
        "choices": [{"index": 0, "delta": delta, "finish_reason": finish}],
    }
    return f"data: {json.dumps(chunk)}\n\n".encode()


async def _models(_request: web.Request) -> web.Response:
    return web.json_response({"data": [{"id": "model"}]})
