"""Program for a fresh environment: the bot with traces and an OTLP receiver; prints the received spans as JSON."""

import asyncio
import json
import os
import signal
import sys
import tempfile
from pathlib import Path
from typing import Any

from aiohttp import web
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest

from tgllm.testing.emulator import Emulator

QUESTION = "a question that belongs to nobody else"


async def main() -> None:
    received: list[bytes] = []

    async def take(request: web.Request) -> web.Response:
        received.append(await request.read())
        return web.Response(content_type="application/x-protobuf")

    app = web.Application(client_max_size=2**26)
    app.router.add_post("/v1/traces", take)
    runner = web.AppRunner(app)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    endpoint = f"http://127.0.0.1:{runner.addresses[0][1]}"
    printed = await talk(endpoint)
    await runner.cleanup()
    spans, resources = decoded(received)
    raw = b"".join(received)
    leaks = [word for word in (QUESTION, "TEST", "Ann") if word.encode() in raw]
    json.dump({"spans": spans, "resources": resources, "leaks": leaks, "printed": printed}, sys.stdout)


async def talk(endpoint: str) -> str:
    """Ask the bot about a file, end it, and return what it printed."""
    with tempfile.TemporaryDirectory() as folder:
        async with Emulator() as emu:
            ann = emu.add_user(first_name="Ann")
            variables = {
                "TGLLM_BOT_TOKEN": emu.token,
                "TGLLM_TELEGRAM_API": emu.base_url,
                "TGLLM_DATA_DIR": str(Path(folder) / "data"),
                "TGLLM_CONFIG": "",
                "TGLLM_ADMIN_IDS": str(ann.id),
                "TGLLM_DEFAULT_MODEL": "echo/echo",
                "TGLLM_TRACING__ENABLED": "true",
                "TGLLM_TRACING__ENDPOINT": endpoint,
            }
            bot = await asyncio.create_subprocess_exec(
                sys.executable, "-m", "tgllm", "run",
                env=os.environ | variables, stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.STDOUT,
            )  # fmt: skip
            try:
                asked = await ann.upload(b"Some text.\n", name="notes.txt", mime="text/plain", caption=QUESTION)
                await emu.wait_for_message(
                    ann.private_chat(), lambda m: m.from_bot and QUESTION in m.text, after=asked, timeout=100
                )
            finally:
                bot.send_signal(signal.SIGTERM)
            printed, _ = await bot.communicate()
            return printed.decode()


def decoded(received: list[bytes]) -> tuple[list[dict[str, Any]], list[dict[str, str]]]:
    spans: list[dict[str, Any]] = []
    resources: list[dict[str, str]] = []
    for body in received:
        request = ExportTraceServiceRequest.FromString(body)
        for resource in request.resource_spans:
            resources.append({each.key: each.value.string_value for each in resource.resource.attributes})
            spans += [
                {
                    "name": span.name,
                    "id": span.span_id.hex(),
                    "parent": span.parent_span_id.hex(),
                    "trace": span.trace_id.hex(),
                    "kind": span.kind,
                    "status": span.status.code,
                    "attributes": {
                        each.key: getattr(each.value, each.value.WhichOneof("value")) for each in span.attributes
                    },
                }
                for scope in resource.scope_spans
                for span in scope.spans
            ]
    return spans, resources


asyncio.run(main())
