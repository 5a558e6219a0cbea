"""What the three fakes share: a process of their own, a port that can be left and taken again."""

import asyncio
import json
import signal
import sys
from typing import Any

import httpx
import pytest

from tgllm.testing.conformance.checking import eventually
from tgllm.testing.fake_providers import FakeDipseek, FakeError, FakeGemini, FakeMistral, FakeServer

FAKES: list[type[FakeServer]] = [FakeDipseek, FakeGemini, FakeMistral]


@pytest.mark.parametrize("name", ["dipseek", "gemini", "mistral"])
async def test_a_process_says_where_it_is_and_ends_on_a_signal(name: str) -> None:
    program = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "tgllm.testing.fake_providers", name, "--key", "s3cret", stdout=asyncio.subprocess.PIPE
    )
    assert program.stdout is not None
    try:
        told = json.loads(await program.stdout.readline())
        async with httpx.AsyncClient(base_url=told["base_url"]) as http:
            headers = {"Authorization": "Bearer s3cret", "x-goog-api-key": "s3cret"}
            listed = (await http.get("/v1/models", headers=headers)).json()
        program.send_signal(signal.SIGTERM)
        assert await program.wait() == 0
    finally:
        if program.returncode is None:
            program.kill()
            await program.wait()

    assert (told["provider"], told["key"]) == (name, "s3cret")
    assert listed.get("data") or listed.get("models")


async def test_no_part_of_telegram_is_loaded() -> None:
    code = "import sys, tgllm.testing.fake_providers; sys.exit('aiogram' in sys.modules)"

    assert await (await asyncio.create_subprocess_exec(sys.executable, "-c", code)).wait() == 0


@pytest.mark.parametrize("kind", FAKES)
async def test_the_same_port_serves_again(kind: type[FakeServer]) -> None:
    fake = kind(key="k")
    async with fake:
        before = fake.base_url
        with pytest.raises(OSError, match="in use"):
            await kind(port=int(before.rpartition(":")[2])).start()
    async with httpx.AsyncClient() as http:
        with pytest.raises(httpx.ConnectError):
            await http.get(f"{before}/v1/models")
    async with fake:
        assert fake.base_url == before


@pytest.mark.parametrize("kind", FAKES)
async def test_connections_are_counted_while_they_are_open(kind: type[FakeServer]) -> None:
    async with kind() as fake:
        assert fake.open_connections == 0
        async with httpx.AsyncClient() as http:
            await http.get(f"{fake.base_url}/nowhere")
            assert fake.open_connections == 1
        await eventually(lambda: fake.open_connections == 0, "the connection is still counted", 10)


@pytest.mark.parametrize("kind", FAKES)
async def test_bytes_are_written_as_ordered(kind: type[FakeServer]) -> None:
    assert max(map(len, await _reads(kind(key="k", write_bytes=3)))) <= 3
    assert max(map(len, await _reads(kind(key="k", write_bytes=None)))) > 100


async def test_a_proxys_page() -> None:
    async with FakeMistral() as fake, httpx.AsyncClient() as http:
        fake.fault("/v1/models", FakeError.html())

        page = await http.get(f"{fake.base_url}/v1/models", headers={"Authorization": f"Bearer {fake.key}"})

    assert (page.status_code, page.headers["content-type"]) == (502, "text/html")
    assert "Bad Gateway" in page.text


async def _reads(fake: FakeServer) -> list[bytes]:
    """An answer as the client reads it, piece by piece."""
    path, body = _question(fake)
    headers = {"Authorization": "Bearer k", "x-goog-api-key": "k"}
    async with (
        fake,
        httpx.AsyncClient(base_url=fake.base_url, headers=headers) as http,
        http.stream("POST", path, json=body) as response,
    ):
        return [chunk async for chunk in response.aiter_raw()]


def _question(fake: FakeServer) -> tuple[str, Any]:
    model = next(iter(fake.models))
    if isinstance(fake, FakeGemini):
        return f"/v1/models/{model}:streamGenerateContent?alt=sse", {"contents": [{"parts": [{"text": "Hello"}]}]}
    body = {"model": model, "messages": [{"role": "user", "content": "Hello"}], "stream": True}
    return "/v1/chat/completions", body
