"""What every fake can be ordered to do, besides answers: breaks, late faults, a gateway, pages."""

from collections.abc import AsyncIterator

import httpx
import pytest

from tgllm.testing.fake_providers import FakeDipseek, FakeGemini
from tgllm.testing.fake_providers.base.deviations import BREAKS
from tgllm.testing.fake_providers.base.server import GATEWAY

QUESTION = {"model": "deepseek-flash", "messages": [{"role": "user", "content": "Hello"}], "stream": True}


@pytest.fixture
async def fake() -> AsyncIterator[FakeDipseek]:
    async with FakeDipseek() as server:
        yield server


@pytest.mark.parametrize("form", BREAKS)
async def test_a_broken_answer_has_its_beginning_and_no_end(
    fake: FakeDipseek, http: httpx.AsyncClient, form: str
) -> None:
    fake.break_with(form, ["The begin", "ning"])
    received = b""

    try:
        async with http.stream("POST", "/chat/completions", json=QUESTION) as response:
            async for chunk in response.aiter_bytes():
                received += chunk
    except httpx.RemoteProtocolError:
        assert "cut" in form
    else:
        assert "cut" not in form

    assert b"The begin" in received
    assert b"ning" in received
    assert b'"finish_reason": "stop"' not in received
    assert (b"[DONE]" in received) == ("[DONE]" in form)


async def test_a_fault_may_come_later(fake: FakeDipseek, http: httpx.AsyncClient) -> None:
    fake.fault("/models", fake.errors.overloaded(), times=2, skip=1)

    statuses = [(await http.get(path)).status_code for path in ("/models", "/user/balance", *["/models"] * 3)]

    assert statuses == [200, 200, 503, 503, 200]


async def test_below_the_gateway_another_key_may_be_right(fake: FakeDipseek, http: httpx.AsyncClient) -> None:
    before = (await http.get(f"{GATEWAY}/models")).status_code
    fake.gateway_key = "another"
    headers = {"Authorization": "Bearer another"}

    statuses = [
        (await http.get(f"{GATEWAY}/models")).status_code,
        (await http.get(f"{GATEWAY}/models", headers=headers)).status_code,
        (await http.get("/models", headers=headers)).status_code,
        (await http.get("/models")).status_code,
    ]

    assert (before, statuses) == (200, [401, 200, 401, 200])


async def test_pages_can_be_made_smaller() -> None:
    async with FakeGemini() as fake, httpx.AsyncClient(base_url=fake.base_url) as http:
        fake.max_page_size = 2
        page = (await http.get("/v1beta/models?pageSize=1000", headers={"x-goog-api-key": fake.key})).json()

    assert len(page["models"]) == 2
    assert page["nextPageToken"]


async def test_characters_are_split_over_several_reads(fake: FakeDipseek, http: httpx.AsyncClient) -> None:
    fake.write_bytes = 1
    fake.answer("привет, 世界")

    async with http.stream("POST", "/chat/completions", json=QUESTION) as response:
        chunks = [chunk async for chunk in response.aiter_raw()]

    assert any("\ufffd" in chunk.decode(errors="replace") for chunk in chunks)
    assert "привет, 世界" in b"".join(chunks).decode()
