"""Long texts are rendered in a process of their own, and sent as plain text if that takes too long."""

import asyncio
import os
import sys
from collections.abc import AsyncIterator, Callable

import pytest

from tgllm.bot.renderer import process
from tgllm.bot.renderer.renderer import INLINE_CHARS, Renderer
from tgllm.bot.rendering.payloads import EntityText, Payload, RichMessage
from tgllm.bot.rendering.render import render, render_beginning
from tgllm.bot.rendering.split import utf16_length

PROSE = "A **bold** word, `code` and [a link](https://example.org).\n\n" * 600
TABLE = "| a | b |\n|---|---|\n" + "| **1** | 2 |\n" * 2000
READY = "import os, sys, json\nos.write(1, (2).to_bytes(8, 'big') + b'{}')\nsys.stdin.buffer.read(8)\n"
HANGS = f"{READY}while True: pass"
DIES = READY
NEVER_READY = "while True: pass"
MODES = ("auto", "always", "never")


@pytest.fixture
async def renderer() -> AsyncIterator[Renderer]:
    made = Renderer()
    yield made
    await made.aclose()


@pytest.fixture
def program(monkeypatch: pytest.MonkeyPatch) -> Callable[[str], None]:
    """Replaces the program of the rendering process."""

    def use(code: str) -> None:
        monkeypatch.setattr(process, "worker_command", lambda: [sys.executable, "-c", code])
        if code == NEVER_READY:
            monkeypatch.setattr(process, "START_SECONDS", 0.2)

    return use


def text_of(payloads: list[Payload]) -> str:
    assert all(isinstance(payload, EntityText) for payload in payloads)
    return "".join(payload.text for payload in payloads if isinstance(payload, EntityText))


def pid_of(renderer: Renderer) -> int | None:
    running = renderer._process._process
    return None if running is None else running.pid


async def until(condition: Callable[[], bool]) -> None:
    while not condition():  # noqa: ASYNC110  the state of the process sets no event
        await asyncio.sleep(0.005)


@pytest.mark.parametrize("rich", MODES)
@pytest.mark.parametrize("text", [PROSE, TABLE, PROSE + "\ud83d" + TABLE], ids=["prose", "table", "surrogate"])
async def test_the_process_renders_as_the_bot_does(renderer: Renderer, text: str, rich: str) -> None:
    assert len(text) > INLINE_CHARS
    made = await renderer.render(text, rich=rich)  # type: ignore[arg-type]  a parameter of the test
    assert made == render(text, rich=rich)  # type: ignore[arg-type]  a parameter of the test
    assert pid_of(renderer) is not None


async def test_beginnings_and_choices_are_the_same_too(renderer: Renderer) -> None:
    assert await renderer.beginning(PROSE, 1000) == render_beginning(PROSE, 1000)
    assert await renderer.asks_for_rich(TABLE)
    assert not await renderer.asks_for_rich(PROSE)


async def test_one_process_serves_all_texts(renderer: Renderer) -> None:
    await renderer.render(PROSE)
    first = pid_of(renderer)
    results = await asyncio.gather(*(renderer.render(PROSE + str(number)) for number in range(5)))
    assert [text_of(each)[-1] for each in results] == ["0", "1", "2", "3", "4"]
    assert pid_of(renderer) == first


async def test_short_texts_start_no_process(renderer: Renderer) -> None:
    assert await renderer.render("**a**") == render("**a**")
    assert pid_of(renderer) is None


@pytest.mark.parametrize(
    "code", [HANGS, DIES, NEVER_READY, "not python"], ids=["hangs", "dies", "never ready", "no program"]
)
async def test_a_text_that_is_not_rendered_in_time_is_plain_and_whole(
    program: Callable[[str], None], code: str
) -> None:
    program(code)
    renderer = Renderer(0.1)
    made = await renderer.render(PROSE, plain=PROSE)
    words = "".join(PROSE.split())
    assert "".join(text_of(made).split()) == words
    assert all(utf16_length(payload.text) <= 4096 for payload in made if isinstance(payload, EntityText))
    assert not any(isinstance(payload, RichMessage) for payload in made)
    (beginning,) = await renderer.beginning(PROSE, 1000)
    assert isinstance(beginning, EntityText)
    assert beginning.text.startswith("A **bold** word")
    assert utf16_length(beginning.text) <= 1000
    assert not await renderer.asks_for_rich(TABLE)
    # Nothing is left running.
    assert pid_of(renderer) is None


async def test_a_process_that_hangs_is_ended_and_the_next_text_is_rendered(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    renderer = Renderer(0.1)
    with monkeypatch.context() as patch:
        patch.setattr(process, "worker_command", lambda: [sys.executable, "-c", HANGS])
        await renderer.render(PROSE)
    renderer = Renderer(60.0)
    assert await renderer.render(PROSE) == render(PROSE)
    await renderer.aclose()


async def test_while_one_text_hangs_others_wait_no_longer_than_the_limit(program: Callable[[str], None]) -> None:
    program(HANGS)
    renderer = Renderer(0.1)
    first = asyncio.create_task(renderer.render(PROSE))
    await until(renderer._place.locked)
    others = await asyncio.gather(*(renderer.render(PROSE) for _ in range(3)))
    assert [text_of(each) for each in [*others, await first]] == [text_of(others[0])] * 4


async def test_closing_ends_a_task_under_way(program: Callable[[str], None]) -> None:
    program(HANGS)
    renderer = Renderer(600.0)
    task = asyncio.create_task(renderer.render(PROSE))
    await until(lambda: pid_of(renderer) is not None)
    pid = pid_of(renderer)
    assert pid is not None
    task.cancel()
    await asyncio.wait({task})
    assert task.cancelled()
    with pytest.raises(ProcessLookupError):
        os.kill(pid, 0)


async def test_the_process_gets_no_keys(monkeypatch: pytest.MonkeyPatch, program: Callable[[str], None]) -> None:
    monkeypatch.setenv("MISTRAL_API_KEY", "secret-key")
    program(
        f"{READY}"
        "body = json.dumps({'result': [{'text': ' '.join(os.environ), 'entities': []}]}).encode()\n"
        "sys.stdout.buffer.write(len(body).to_bytes(8, 'big') + body)"
    )
    renderer = Renderer(60.0)
    (names,) = await renderer.render(PROSE)
    await renderer.aclose()
    assert isinstance(names, EntityText)
    assert "PATH" in names.text.split()
    assert "MISTRAL_API_KEY" not in names.text
