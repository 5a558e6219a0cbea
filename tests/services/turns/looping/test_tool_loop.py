"""A turn in which the model calls tools."""

import asyncio

from loop_support import Box, MakeBench
from tgllm.api import Finished, Source, TextDelta, ToolCall, ToolFailed, ToolOutput, ToolUse, Usage
from tgllm.services.conversations.tool_steps import ToolStep
from tgllm.testing.scripted import calling


async def test_a_call_is_made_and_its_result_answered(bench: MakeBench, box: Box) -> None:
    box.add("clock", title="🕐 looking at the clock")
    it = await bench()
    it.provider.answer("I'll look.", calling("clock", zone="UTC"), Finished(usage=Usage(10, 5)))
    it.provider.answer("It is noon.", Finished(usage=Usage(30, 7)))
    outcome = await it.ask()
    assert (outcome.status, outcome.text) == ("ok", "I'll look.\n\nIt is noon.")
    assert it.provider.offered == ["clock"]
    (result,) = it.provider.results
    assert "clock {'zone': 'UTC'}" in result.text
    assert not result.is_error
    assert [step.state for step in outcome.tools.steps] == ["done"]
    assert await it.requests() == [(1, "ok"), (2, "ok")]
    assert await it.rounds() == 0
    assert await it.states() == ["done"]


async def test_the_preview_shows_the_steps_and_the_texts_as_one_answer(bench: MakeBench, box: Box) -> None:
    async def does(use: ToolUse) -> str:
        use.progress("page 2", 1, 2)
        return "found"

    box.add("find", does, title="🔎 searching", titles={"ru": "🔎 ищу"})
    it = await bench()
    it.provider.answer("One.", calling("find"))
    it.provider.answer("Two.")
    await it.ask()
    texts = [event.text for event in it.sink.events if isinstance(event, TextDelta)]
    assert "".join(texts) == "One.\n\nTwo."
    assert list(dict.fromkeys(it.sink.steps)) == [("find", "writing"), ("find", "running"), ("find", "done")]
    assert ToolStep("1.0", "find", "🔎 searching", "running", "page 2", 1, 2) in it.sink.events


async def test_calls_of_one_answer_run_side_by_side(bench: MakeBench, box: Box) -> None:
    both = asyncio.Barrier(2)

    async def meet(use: ToolUse) -> str:
        await both.wait()
        return use.tool

    box.add("a", meet)
    box.add("b", meet)
    it = await bench()
    it.provider.answer(calling("a"), calling("b"))
    it.provider.answer("Both.")
    assert (await it.ask()).text == "Both."
    assert [result.name for result in it.provider.results] == ["a", "b"]


async def test_sources_come_with_the_answer_once(bench: MakeBench, box: Box) -> None:
    async def does(_use: ToolUse) -> ToolOutput:
        return ToolOutput("page", (Source("https://a.example/", "A"), Source("javascript:alert(1)")))

    box.add("read", does)
    it = await bench()
    it.provider.answer(calling("read"), calling("read"))
    it.provider.answer("Done.")
    assert (await it.ask()).tools.sources == (Source("https://a.example/", "A"),)


async def test_a_failed_call_is_told_to_the_model(bench: MakeBench, box: Box) -> None:
    async def fails(_use: ToolUse) -> str:
        raise ToolFailed("no such city")

    async def crashes(_use: ToolUse) -> str:
        raise KeyError("secret of the plugin")

    box.add("weather", fails)
    box.add("broken", crashes)
    it = await bench()
    it.provider.answer(calling("weather"), calling("broken"), calling("missing"))
    it.provider.answer("Sorry.")
    outcome = await it.ask()
    weather, broken, missing = it.provider.results
    assert (weather.is_error, "no such city" in weather.text) == (True, True)
    assert (broken.is_error, "secret of the plugin" in broken.text) == (True, False)
    assert (missing.is_error, "There is no tool missing" in missing.text) == (True, True)
    assert [step.state for step in outcome.tools.steps] == ["failed", "failed", "failed"]


async def test_wrong_arguments_are_told_and_the_call_is_not_made(bench: MakeBench, box: Box) -> None:
    box.add("add", schema={"type": "object", "properties": {"a": {"type": "integer"}}, "required": ["a"]})
    it = await bench()
    it.provider.answer(calling("add", a="one"), calling("add"), ToolCall("3", "add", "{a:"), calling("add", a=1))
    it.provider.answer("Two.")
    await it.ask()
    assert len(box.uses) == 1
    assert await it.states() == ["invalid", "invalid", "invalid", "done"]
    assert [result.is_error for result in it.provider.results] == [True, True, True, False]


async def test_a_provider_without_tools_gets_none(bench: MakeBench, box: Box) -> None:
    box.add("clock")
    it = await bench(tools=False)
    it.provider.answer(calling("clock"), "Hm.")
    assert (await it.ask()).text == "Hm."
    assert it.provider.offered == []
    assert box.made == []


async def test_what_is_not_allowed_is_not_shown_and_not_made(bench: MakeBench, box: Box) -> None:
    box.add("read")
    box.add("write", danger="write")
    it = await bench()
    it.provider.answer(calling("write"))
    it.provider.answer("No.")
    await it.ask()
    assert it.provider.offered == ["read"]
    assert box.made == []
    assert await it.states() == ["invalid"]


async def test_a_call_that_needs_an_approval_is_refused_where_no_one_can_be_asked(bench: MakeBench, box: Box) -> None:
    box.add("pay", danger="dangerous")
    it = await bench(rules={"pay": {"private": "user"}})
    it.provider.answer(calling("pay"))
    it.provider.answer("I can't.")
    await it.ask()
    assert box.made == []
    assert await it.states() == ["refused"]
    assert "needs an approval" in it.provider.results[0].text


async def test_a_limit_of_rounds_ends_with_an_answer(bench: MakeBench, box: Box) -> None:
    box.add("again")
    it = await bench(max_rounds=2)
    for _ in range(2):
        it.provider.answer(calling("again"))
    it.provider.answer("Enough.", calling("again"))
    outcome = await it.ask()
    assert (outcome.status, outcome.text) == ("ok", "Enough.")
    assert [request.tool_choice for request in it.provider.requests] == ["auto", "auto", "none"]
    assert it.provider.results[-1].text.endswith("say what is missing.]")
    assert len(box.uses) == 2


async def test_a_limit_of_calls_refuses_the_rest(bench: MakeBench, box: Box) -> None:
    box.add("again")
    it = await bench(max_calls=3)
    it.provider.answer(*[calling("again")] * 5)
    it.provider.answer("Enough.")
    await it.ask()
    assert await it.states() == ["done"] * 3 + ["refused"] * 2
    assert it.provider.requests[-1].tool_choice == "none"


async def test_calls_of_an_answer_that_was_cut_are_not_made(bench: MakeBench, box: Box) -> None:
    box.add("clock")
    it = await bench()
    it.provider.answer("I will ", calling("clock"), Finished("length"))
    outcome = await it.ask()
    assert (outcome.text, outcome.reason) == ("I will ", "length")
    assert box.made == []


async def test_a_long_result_is_cut_and_says_so(bench: MakeBench, box: Box) -> None:
    async def long(_use: ToolUse) -> str:
        return "x\0" * 300

    box.add("long", long)
    it = await bench(max_result_chars=100)
    it.provider.answer(calling("long"))
    it.provider.answer("Read.")
    await it.ask()
    (call,) = await it.calls()
    assert (call.result or "").startswith("x" * 100 + "\n[Cut here. Characters shown: 100 of 300]")


async def test_a_stop_ends_a_running_tool_and_keeps_the_text(bench: MakeBench, box: Box) -> None:
    ended = asyncio.Event()

    async def hangs(_use: ToolUse) -> str:
        try:
            await asyncio.Event().wait()
        finally:
            ended.set()
        return ""

    box.add("slow", hangs)
    it = await bench()
    it.provider.answer("Wait.", calling("slow"))
    asking = asyncio.create_task(it.ask())
    await it.sink.until("slow", "running")
    assert it.running.stop(it.turn.lane)
    outcome = await asking
    assert (outcome.status, outcome.text) == ("stopped", "Wait.")
    assert ended.is_set()
    assert await it.states() == ["stopped"]
    assert len(it.provider.requests) == 1
    assert await it.rounds() == 0


async def test_a_tool_that_swallows_its_cancellation_does_not_block_the_turn(bench: MakeBench, box: Box) -> None:
    release = asyncio.Event()

    async def stubborn(_use: ToolUse) -> str:
        while not release.is_set():
            try:
                await release.wait()
            except asyncio.CancelledError:
                continue
        return "late"

    box.add("stubborn", stubborn, timeout=0.01)
    it = await bench()
    it.provider.answer(calling("stubborn"))
    it.provider.answer("It hangs.")
    assert (await it.ask()).text == "It hangs."
    assert await it.states() == ["failed"]
    release.set()
