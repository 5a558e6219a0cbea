"""Calls of tools of real servers, in both ways to reach one."""

import asyncio
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from mcp_servers.running import Store, Web, raw, sdk
from tgllm.api import ToolFailed

Start = Callable[..., Any]


class People:
    """Presses what a test orders."""

    def __init__(self, *presses: str | None) -> None:
        self.presses, self.asked = list(presses), list[tuple[str, tuple[str, ...], str]]()

    async def __call__(self, question: str, choices: Any = (), *, url: str = "") -> str | None:
        self.asked.append((question, tuple(choices), url))
        return self.presses.pop(0)


@pytest.fixture(params=["stdio", "http"])
async def reached(request: pytest.FixtureRequest, web: Web) -> dict[str, Any]:
    """Settings of the SDK's server."""
    if request.param == "stdio":
        return sdk()
    await web.start()
    return {"url": web.url, "connect_timeout": 120, "prefix": ""}


async def test_a_result_of_each_kind(start: Start, reached: dict[str, Any]) -> None:
    running = await start(one=reached)

    added = await running.call("add", a=2, b=3)
    many = await running.call("many")

    assert (added.text, added.is_error) == ('{\n  "value": 5\n}', False)
    assert many.text.startswith("Look:")
    assert "remember" in many.text
    assert [source.url for source in many.sources] == ["https://example.org/page"]
    assert [(file.name, file.mime_type, file.content) for file in many.files] == [
        ("image-2.png", "image/png", b"\x89PNG fake"),
        ("data.bin", "a/b", b"\0\1\2"),
    ]


async def test_a_failure_is_for_the_model(start: Start, reached: dict[str, Any]) -> None:
    running = await start(one=reached)

    failed, wrong = await running.call("fail"), await running.call("add", a="x", b=1)

    assert (failed.is_error, "no milk today" in failed.text) == (True, True)
    assert wrong.is_error
    assert (await running.call("add", a=1, b=1)).text


async def test_a_cancelled_call_is_cancelled_at_the_server(
    start: Start, reached: dict[str, Any], tmp_path: Path
) -> None:
    running, seen = await start(one=reached), asyncio.Event()
    steps: list[tuple[str, int | None, int | None]] = []

    def progress(text: str = "", done: int | None = None, total: int | None = None) -> None:
        steps.append((text, done, total))
        seen.set()

    task = asyncio.create_task(running.call("slow", progress=progress, folder=str(tmp_path)))
    await seen.wait()
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task

    assert steps == [("one of three", 1, 3)]
    async with asyncio.timeout(60):
        while not (tmp_path / "cancelled").exists():
            await running.call("add", a=1, b=1)


async def test_a_question_becomes_buttons(start: Start, reached: dict[str, Any]) -> None:
    running, people = await start(one=reached), People("large", "✅")

    result = await running.call("order", ask=people)

    assert result.text == "large gift=True"
    assert people.asked == [
        ("What shall it be?\n\nWhich size?", ("small", "large"), ""),
        ("Is it a gift?", ("✅", "❌"), ""),
    ]


async def test_a_question_that_is_declined(start: Start, reached: dict[str, Any]) -> None:
    running = await start(one=reached)

    for ask in (People(None), None):
        result = await running.call("order", ask=ask)
        assert result.is_error or "declin" in result.text


async def test_a_question_in_words_is_declined_with_the_reason(start: Start, reached: dict[str, Any]) -> None:
    running, people = await start(one=reached), People()

    result = await running.call("greet", ask=people)

    assert "'name' in words" in result.text
    assert people.asked == []


async def test_a_server_that_asks_in_the_old_way_is_connected_again_for_it(
    start: Start, reached: dict[str, Any]
) -> None:
    running, people = await start(one=reached), People("small", "❌")
    with pytest.raises(ToolFailed, match="call it once more"):
        await running.call("order_old", ask=people)
    await running.until(lambda: not running.specs)
    await running.until(lambda: running.specs)

    assert (await running.call("order_old", ask=people)).text == "accept small"
    assert running.store.values == {"legacy.one": True}


async def test_questions_of_the_old_way_reach_no_other_person(start: Start, tmp_path: Path) -> None:
    running = await start(store=Store({"legacy.one": True}), one=sdk())
    people, other = People("small", "✅"), People()
    waiting = asyncio.create_task(running.call("slow", ask=other, folder=str(tmp_path)))
    async with asyncio.timeout(60):
        while not (tmp_path / "started").exists():
            await running.call("add", a=1, b=1)

    result = await running.call("order_old", ask=people)

    assert "call it alone" in result.text
    assert other.asked == []
    waiting.cancel()
    await asyncio.gather(waiting, return_exceptions=True)


async def test_a_new_tool_is_offered(start: Start, reached: dict[str, Any]) -> None:
    running = await start(one=reached)

    await running.call("grow")
    await running.until(lambda: "new_one" in running.specs)

    assert (await running.call("new_one")).text == "I am new"


async def test_the_environment_of_a_program_is_filtered(start: Start, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TGLLM_BOT_TOKEN", "12345:secret")
    monkeypatch.setenv("TOKEN_OF_ITS_OWN", "for-this-one")
    running = await start(one=sdk(env={"GIVEN": "Bearer ${TOKEN_OF_ITS_OWN}"}))

    found = [(await running.call("env", name=name)).text for name in ("TGLLM_BOT_TOKEN", "TOKEN_OF_ITS_OWN", "GIVEN")]

    assert found == ["unset", "unset", "Bearer for-this-one"]


@pytest.mark.parametrize(
    ("kind", "words"),
    [("odd result", "breaks the protocol"), ("error", "The server says: wrong arguments")],
)
async def test_a_result_that_is_none(start: Start, kind: str, words: str) -> None:
    running = await start(one=raw(kind))

    with pytest.raises(ToolFailed, match=words):
        await running.call("echo")


async def test_questions_end_with_the_call(start: Start) -> None:
    running, asked, ended = await start(one=raw("asks and ends")), list[str](), asyncio.Event()

    async def ask(question: str, choices: Any = (), *, url: str = "") -> str | None:
        asked.append(question)
        try:
            await asyncio.Event().wait()
        finally:
            ended.set()
        return None

    result = await running.call("echo", ask=ask)
    async with asyncio.timeout(60):
        await ended.wait()
    # A further call shows that the server has its answers, and that the other questions were not asked.
    assert (await running.call("echo", ask=None)).text

    assert (result.text, asked) == ("done", ["Really?"])


async def test_progress_in_odd_numbers(start: Start) -> None:
    running, steps = await start(one=raw("odd progress")), list[tuple[str, int | None, int | None]]()

    result = await running.call("echo", progress=lambda *step: steps.append(step))

    assert result.text == "done"
    assert {("", 1, 1)} <= set(steps) <= {("", 1, 1), ("", None, None)}
