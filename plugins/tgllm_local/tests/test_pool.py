"""Loading, unloading and sharing of models, with children that never ran."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import aclosing
from pathlib import Path
from typing import Any

import pytest

from llama_support import FakeLlama, write_model
from tgllm.api import Clock, ContextTooLong, FilePart, ProviderError, TextDelta, Unavailable, Unsupported
from tgllm.testing.asking import hear, question
from tgllm.testing.clock import HurriedClock, ManualClock
from tgllm.testing.conformance.recording import RecordedLog
from tgllm.testing.fake_providers import Signal
from tgllm_local.errors import crashed, killed
from tgllm_local.provider import LocalProvider
from tgllm_local.settings import Settings

Make = Callable[..., LocalProvider]


@pytest.fixture
def clock() -> ManualClock:
    return ManualClock()


@pytest.fixture
async def make(folder: Path, children: Any, fake: FakeLlama, clock: ManualClock) -> AsyncIterator[Make]:
    """Makes the provider of the folder, with settings of the test's own."""
    children.base_url = fake.base_url
    for name in ("one", "two"):
        write_model(folder / f"{name}.gguf")
        fake.add_model(name, context_window=8192)
    made: list[LocalProvider] = []

    def make(clock: Clock = clock, **settings: Any) -> LocalProvider:
        made.append(LocalProvider(Settings(**settings), folder, clock, RecordedLog()))
        return made[-1]

    yield make
    for provider in made:
        await provider.aclose()


async def say(provider: LocalProvider, model: str, text: str = "Hello") -> str:
    return (await hear(provider, question(model, text))).text


async def waiting(provider: LocalProvider, count: int) -> None:
    """Wait until so many questions wait for a place; a thread reads the folder before."""
    while len(provider._pool._queue) < count:  # noqa: ASYNC110  the pool has no event for it
        await asyncio.sleep(0)


async def unloaded(provider: LocalProvider) -> None:
    """Wait until all children that are no longer needed have ended."""
    while provider._pool._ending:  # noqa: ASYNC110  the pool has no event for it
        await asyncio.sleep(0)


async def test_nothing_is_loaded_before_the_first_question(make: Make, children: Any) -> None:
    provider = make()
    await provider.list_models()
    await provider.doctor()

    assert children.started == []


async def test_a_loaded_model_is_used_again(make: Make, children: Any) -> None:
    provider = make()

    assert [await say(provider, "one", text) for text in ("first", "second")] == ["first", "second"]
    assert children.running == ["one"]
    assert len(children.started) == 1


async def test_an_idle_model_is_unloaded(make: Make, children: Any, clock: ManualClock) -> None:
    provider = make(idle_seconds=60)
    await say(provider, "one")

    await clock.advance(59)
    assert children.running == ["one"]
    await clock.advance(2)
    await unloaded(provider)
    assert children.running == []

    assert await say(provider, "one", "again") == "again"
    assert children.running == ["one"]


async def test_a_question_starts_the_idle_time_anew(make: Make, children: Any, clock: ManualClock) -> None:
    provider = make(idle_seconds=60)
    await say(provider, "one")
    await clock.advance(50)
    await say(provider, "one")

    await clock.advance(50)

    assert children.running == ["one"]
    assert len(children.started) == 1


async def test_a_model_is_not_idle_while_it_answers(
    make: Make, children: Any, clock: ManualClock, fake: FakeLlama
) -> None:
    provider, more = make(idle_seconds=60), asyncio.Event()
    fake.answer(["Begun ", more, "and done"])
    async with aclosing(provider.generate(question("one", "Hello"))) as stream:
        texts = [await anext(event.text async for event in stream if isinstance(event, TextDelta))]
        await clock.advance(3600)
        assert children.running == ["one"]
        more.set()
        texts += [event.text async for event in stream if isinstance(event, TextDelta)]

    assert "".join(texts) == "Begun and done"


async def test_another_model_takes_the_place_of_an_idle_one(make: Make, children: Any) -> None:
    provider = make()

    await say(provider, "one")
    await say(provider, "two")

    assert children.running == ["two"]


async def test_the_model_that_was_idle_for_longest_makes_room(make: Make, children: Any, clock: ManualClock) -> None:
    provider = make(loaded_models=2)
    for model in ("one", "two", "one", "tiny"):
        await say(provider, model)
        await clock.advance(1)

    assert children.running == ["one", "tiny"]


async def test_a_model_waits_for_one_that_answers(make: Make, children: Any, fake: FakeLlama) -> None:
    provider, more = make(), asyncio.Event()
    fake.answer(["Begun ", more, "and done"])
    first = asyncio.create_task(say(provider, "one"))
    await fake.wait_for(lambda: fake.open_streams)
    second = asyncio.create_task(say(provider, "two", "the second"))
    await waiting(provider, 1)
    assert children.running == ["one"]

    more.set()

    assert [await first, await second] == ["Begun and done", "the second"]
    assert children.running == ["two"]


async def test_questions_for_a_loaded_model_do_not_keep_another_one_waiting(
    make: Make, children: Any, fake: FakeLlama
) -> None:
    provider, more = make(parallel=2), asyncio.Event()
    fake.answer(["Begun ", more, "and done"])
    asked = [asyncio.create_task(say(provider, "one"))]
    await fake.wait_for(lambda: fake.open_streams)
    for count, model in enumerate(("two", "one", "two"), 1):
        asked.append(asyncio.create_task(say(provider, model, f"for {model}")))
        await waiting(provider, count)
    assert len([request for request in fake.requests if request.method == "POST"]) == 1

    more.set()

    assert await asyncio.gather(*asked) == ["Begun and done", "for two", "for one", "for two"]
    assert [child.order.model for child in children.started] == ["one", "two", "one", "two"]


async def test_a_question_that_stops_waiting_delays_no_other(make: Make, fake: FakeLlama) -> None:
    provider, more = make(parallel=2), asyncio.Event()
    fake.answer(["Begun ", more, "and done"])
    first = asyncio.create_task(say(provider, "one"))
    await fake.wait_for(lambda: fake.open_streams)
    second = asyncio.create_task(say(provider, "two"))
    await waiting(provider, 1)
    third = asyncio.create_task(say(provider, "one", "the third"))
    await waiting(provider, 2)
    second.cancel()

    assert await third == "the third"
    more.set()
    assert await first == "Begun and done"


async def test_no_more_answers_than_allowed_are_written_together(make: Make, fake: FakeLlama) -> None:
    provider, more = make(parallel=2), asyncio.Event()
    for number in range(5):
        fake.answer([f"{number} ", more, "end"])
    asked = [asyncio.create_task(say(provider, "one")) for _ in range(5)]
    await fake.wait_for(lambda: fake.open_streams == 2)
    await waiting(provider, 3)
    assert len([request for request in fake.requests if request.method == "POST"]) == 2

    more.set()

    assert sorted(await asyncio.gather(*asked)) == [f"{number} end" for number in range(5)]


async def test_two_questions_load_a_model_once(make: Make, children: Any) -> None:
    provider = make()
    children.gate.clear()
    asked = [asyncio.create_task(say(provider, "one", text)) for text in ("a", "b")]
    await children.begun.wait()
    children.gate.set()

    assert await asyncio.gather(*asked) == ["a", "b"]
    assert len(children.started) == 1


async def test_who_stops_while_it_loads_leaves_it_for_the_next(make: Make, children: Any) -> None:
    provider = make()
    children.gate.clear()
    task = asyncio.create_task(say(provider, "one"))
    await children.begun.wait()
    task.cancel()
    await asyncio.wait({task})
    children.gate.set()

    assert task.cancelled()
    assert await say(provider, "one", "next") == "next"
    assert len(children.started) == 1


async def test_a_crash_before_the_answer_is_tried_again_with_a_new_child(
    make: Make, children: Any, fake: FakeLlama
) -> None:
    provider, more = make(HurriedClock(), idle_seconds=10**9), asyncio.Event()
    fake.answer([more, Signal.CUT])
    asked = asyncio.create_task(say(provider, "one", "again"))
    await fake.wait_for(lambda: fake.open_streams)
    children.started[0].die(crashed("one", -11))
    more.set()

    assert await asked == "again"
    assert len(children.started) == 2


async def test_a_child_that_died_meanwhile_is_replaced(make: Make, children: Any) -> None:
    provider = make()
    await say(provider, "one")
    children.started[0].die(crashed("one", -11))

    assert await say(provider, "one", "next") == "next"
    assert children.running == ["one"]
    assert len(children.started) == 2


async def test_a_crash_in_the_answer_is_named(make: Make, children: Any, fake: FakeLlama) -> None:
    provider = make()
    await say(provider, "one")
    fake.answer(["The beginning ", Signal.CUT])
    children.started[0].reason = crashed("one", -11)

    with pytest.raises(Unavailable, match="SIGSEGV"):
        await say(provider, "one")


async def test_a_model_that_memory_ended_is_not_loaded_again_at_once(
    make: Make, children: Any, fake: FakeLlama
) -> None:
    provider = make()
    await say(provider, "one")
    fake.answer([Signal.CUT])
    children.started[0].reason = killed("one")

    with pytest.raises(ProviderError, match="memory runs out") as caught:
        await say(provider, "one")

    assert caught.value.code == "local.killed"
    assert len(children.started) == 1


async def test_a_model_that_cannot_be_loaded_is_tried_anew_by_the_next_question(make: Make, children: Any) -> None:
    provider = make()
    children.failure = killed("one")
    for _ in range(2):
        with pytest.raises(ProviderError, match="memory"):
            await say(provider, "one")
    children.failure = None

    assert await say(provider, "one", "now") == "now"
    assert len(children.started) == 3


async def test_too_little_memory_is_told_before_loading(make: Make, children: Any) -> None:
    provider = make()
    provider._pool.free = lambda: 50 * 2**20

    with pytest.raises(ProviderError, match=r"needs about \d+ MB .* 50 MB are free") as caught:
        await say(provider, "one")

    assert caught.value.code == "local.no_memory"
    assert children.started == []


async def test_the_memory_check_can_be_switched_off(make: Make, children: Any) -> None:
    provider = make(check_memory=False)
    provider._pool.free = lambda: 0

    assert await say(provider, "one", "here") == "here"


async def test_a_changed_file_is_loaded_anew(make: Make, children: Any, folder: Path) -> None:
    provider = make()
    await say(provider, "one")
    write_model(folder / "one.gguf", llama__context_length=512)

    await say(provider, "one")

    assert [child.order.context_tokens for child in children.started] == [4096, 512]
    assert children.running == ["one"]


async def test_a_long_prompt_is_context_too_long(make: Make, fake: FakeLlama) -> None:
    fake.context_window = 5

    with pytest.raises(ContextTooLong, match="available context size"):
        await say(make(), "one", "word " * 50)


async def test_a_file_is_refused(make: Make, tmp_path: Path, children: Any) -> None:
    image = FilePart(tmp_path / "a.png", "image/png", 3, "0" * 64)

    with pytest.raises(Unsupported):
        await hear(make(), question("one", "What is this?", image))


async def test_closing_ends_all_children(make: Make, children: Any) -> None:
    provider = make(loaded_models=2)
    await say(provider, "one")
    await say(provider, "two")

    await provider.aclose()

    assert children.running == []
    with pytest.raises(ProviderError, match="closed"):
        await say(provider, "one")


async def test_closing_while_it_loads_ends_the_question(make: Make, children: Any) -> None:
    provider = make()
    children.gate.clear()
    task = asyncio.create_task(say(provider, "one"))
    await children.begun.wait()

    await provider.aclose()

    with pytest.raises(ProviderError, match="closed"):
        await task
    assert children.running == []
