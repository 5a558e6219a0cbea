"""``python -m benchmarks.model_server``: a model that answers immediately, in 20 pieces, in the OpenAI format.

Prints its URL as one line of JSON and serves until the end of standard input.
"""

import asyncio
import json
import sys

from aiohttp import web

from benchmarks.words import PIECES


def _event(piece: str, finish: str | None = None) -> bytes:
    chunk = {
        "id": "chatcmpl-1",
        "object": "chat.completion.chunk",
        "model": "model",
        "choices": [{"index": 0, "delta": {"content": piece}, "finish_reason": finish}],
    }
    return f"data: {json.dumps(chunk)}\n\n".encode()


_EVENTS = [*map(_event, PIECES), _event("", "stop"), b"data: [DONE]\n\n"]


async def _complete(request: web.Request) -> web.StreamResponse:
    await request.read()
    response = web.StreamResponse(headers={"Content-Type": "text/event-stream"})
    await response.prepare(request)
    for event in _EVENTS:
        await response.write(event)
    await response.write_eof()
    return response


async def _models(_request: web.Request) -> web.Response:
    return web.json_response({"data": [{"id": "model"}]})


async def _serve() -> None:
    app = web.Application(client_max_size=2**26)
    app.router.add_post("/v1/chat/completions", _complete)
    app.router.add_get("/v1/models", _models)
    runner = web.AppRunner(app, access_log=None)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    host, port = runner.addresses[0][:2]
    print(json.dumps({"url": f"http://{host}:{port}"}), flush=True)
    await asyncio.to_thread(sys.stdin.read)
    await runner.cleanup()


if __name__ == "__main__":
    asyncio.run(_serve())
