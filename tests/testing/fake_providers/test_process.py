"""What the three fakes share: a process of their own, a port that can be left and taken again."""

import asyncio
import json
import signal
import sys
from typing import Any

import httpx
import pytest

from tgllm.api import ReasoningDelta, TextDelta
from tgllm.testing.conformance.checking import eventually
from tgllm.testing.fake_providers import FakeDipseek, FakeError, FakeGemini, FakeMistral, FakeServer, Signal

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


@pytest.mark.parametrize("kind", FAKES)
async def test_steps_may_be_events_of_the_contract(kind: type[FakeServer]) -> None:
    fake = kind(key="k")
    fake.answer([ReasoningDelta("hm"), TextDelta("Hel"), Signal.KEEP_ALIVE, TextDelta("lo"), b": as it is\n\n"])

    written = b"".join(await _reads(fake))

    assert written.find(b"Hel") < written.find(b"keep-alive", written.find(b"Hel")) < written.find(b'lo"')
    assert b": as it is\n\n" in written


@pytest.mark.parametrize("kind", FAKES)
async def test_an_error_among_the_steps_ends_the_stream(kind: type[FakeServer]) -> None:
    fake = kind(key="k")
    fake.answer(["Hel", FakeError(500, {"error": {"code": 500, "message": "Ouch"}}), "lo"])

    written = b"".join(await _reads(fake))

    assert b"Ouch" in written.rpartition(b"data: ")[2]


@pytest.mark.parametrize("kind", FAKES)
async def test_a_whole_answer_waits_and_breaks_too(kind: type[FakeServer]) -> None:
    gate = asyncio.Event()
    async with kind(key="k") as fake, _client(fake) as http:
        fake.answer([gate, "Hello"])
        fake.answer([Signal.CUT])
        path, body = _question(fake, stream=False)

        asking = asyncio.create_task(http.post(path, json=body))
        await fake.wait_for(lambda: fake.open_streams)
        assert not asking.done()
        gate.set()

        assert b"Hello" in (await asking).content
        with pytest.raises(httpx.RemoteProtocolError):
            await http.post(path, json=body)


@pytest.mark.parametrize(
    ("kind", "path"),
    [
        (FakeDipseek, "/files"),
        (FakeMistral, "/v1/files"),
        (FakeGemini, "/v1/models/gemini-3.8-flash:embedContent"),
        (FakeGemini, "/v1/nothing"),
    ],
)
@pytest.mark.parametrize("purpose", ["ocr", "user_data", "other"])
async def test_what_is_not_served_is_refused(kind: type[FakeServer], path: str, purpose: str) -> None:
    async with kind(key="k") as fake, _client(fake) as http:
        response = await http.post(path, files={"purpose": (None, purpose)})

    assert 400 <= response.status_code < 500
    assert response.content


async def test_a_proxys_page() -> None:
    async with FakeMistral() as fake, httpx.AsyncClient() as http:
        fake.fault("/v1/models", FakeError.html())

        page = await http.get(f"{fake.base_url}/v1/models", headers={"Authorization": f"Bearer {fake.key}"})

    assert (page.status_code, page.headers["content-type"]) == (502, "text/html")
    assert "Bad Gateway" in page.text


async def _reads(fake: FakeServer) -> list[bytes]:
    """An answer as the client reads it, piece by piece."""
    path, body = _question(fake)
    async with fake, _client(fake) as http, http.stream("POST", path, json=body) as response:
        return [chunk async for chunk in response.aiter_raw()]


def _client(fake: FakeServer) -> httpx.AsyncClient:
    return httpx.AsyncClient(base_url=fake.base_url, headers={"Authorization": "Bearer k", "x-goog-api-key": "k"})


def _question(fake: FakeServer, *, stream: bool = True) -> tuple[str, Any]:
    model = next(iter(fake.models))
    if isinstance(fake, FakeGemini):
        method = "streamGenerateContent?alt=sse" if stream else "generateContent"
        return f"/v1/models/{model}:{method}", {"contents": [{"parts": [{"text": "Hello"}]}]}
    return "/v1/chat/completions", {
        "model": model,
        "messages": [{"role": "user", "content": "Hello"}],
        "stream": stream,
    }
