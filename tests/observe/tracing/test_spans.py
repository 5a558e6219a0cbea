"""One tree of spans for each turn, from the update to the sent message, and nothing at all without a tracer."""

import asyncio
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from bot_support import settled
from tgllm.api import Finished, Unavailable, Usage
from tgllm.observe.tracing import export
from tgllm.observe.tracing.spans import NO_SPAN, Attributes, OpenSpan, SpanKind, span, tracing
from tgllm.testing.bot import running_bot
from tgllm.testing.emulator import EmulatedUser, Emulator
from tgllm.testing.scripted import ScriptedProvider


@dataclass(eq=False)
class Recorded:
    """A span of a test."""

    name: str
    kind: str
    parent: "Recorded | None"
    attributes: dict[str, object]
    failed: str = ""
    ended: int = 0

    def set(self, **attributes: str | float | bool | None) -> None:
        self.attributes |= {key.replace("__", "."): value for key, value in attributes.items() if value is not None}

    def fail(self, kind: str) -> None:
        self.failed = kind

    def end(self) -> None:
        self.ended += 1


@dataclass
class Recorder:
    """A tracer that keeps its spans."""

    spans: list[Recorded] = field(default_factory=list)

    def start(self, name: str, kind: SpanKind, attributes: Attributes, parent: OpenSpan | None) -> OpenSpan:
        assert parent is None or isinstance(parent, Recorded)
        self.spans.append(Recorded(name, kind, parent, dict(attributes)))
        return self.spans[-1]

    def tree(self) -> list[str]:
        return [" > ".join(names(each)) for each in self.spans]

    def named(self, name: str) -> Recorded:
        (found,) = [each for each in self.spans if each.name == name]
        return found


def names(each: Recorded | None) -> list[str]:
    return [] if each is None else [*names(each.parent), each.name]


@pytest.fixture
def recorder() -> Iterator[Recorder]:
    recorder = Recorder()
    with tracing(recorder):
        yield recorder


def test_without_a_tracer_a_span_is_nothing() -> None:
    with span("x", begins=True) as first, span("y") as second:
        first.set(a=1)

    assert first is second is NO_SPAN


def test_what_belongs_to_no_trace_is_left_out(recorder: Recorder) -> None:
    with span("call"), span("send", after="u1"):
        pass

    assert recorder.spans == []


def test_an_error_marks_the_spans_that_it_leaves(recorder: Recorder) -> None:
    with pytest.raises(Unavailable), span("a", begins=True), span("b"):
        raise Unavailable("gone")

    assert [(each.failed, each.ended) for each in recorder.spans] == [("unavailable", 1), ("unavailable", 1)]


async def test_tasks_side_by_side_have_spans_of_their_own(recorder: Recorder) -> None:
    async def work(number: int) -> None:
        with span(f"outer {number}", begins=True):
            await asyncio.wait([asyncio.create_task(inner(number))])

    async def inner(number: int) -> None:
        with span(f"inner {number}"):
            pass

    await asyncio.gather(work(1), work(2))

    assert {"outer 1 > inner 1", "outer 2 > inner 2"} < set(recorder.tree())


def test_turns_are_not_remembered_without_end(recorder: Recorder) -> None:
    for number in range(1500):
        with span("turn", turn=str(number), begins=True):
            pass
    with span("late", after="0"), span("soon", after="1499"):
        pass

    assert recorder.tree()[-1] == "turn > soon"
    assert "late" not in recorder.tree()[-1]


def test_a_harmless_error_passes_a_span_that_stays_good(recorder: Recorder) -> None:
    with pytest.raises(TimeoutError), span("a", begins=True), span("b", harmless=(TimeoutError,)):
        raise TimeoutError

    assert [(each.failed, each.ended) for each in recorder.spans] == [("TimeoutError", 1), ("", 1)]


async def test_a_stop_by_a_person_is_no_error(
    emu: Emulator, ann: EmulatedUser, tmp_path: Path, recorder: Recorder
) -> None:
    provider = ScriptedProvider()
    provider.answer("half an answer", asyncio.Event())
    async with running_bot(emu, tmp_path, admins=[ann.id], provider=provider) as bot:
        await ann.say("a question")
        await emu.wait_for(lambda: provider.open_streams or None)
        await ann.say("/stop")
        await settled(emu, bot)

    chat = recorder.named("chat model")
    assert chat.attributes["tgllm.request.outcome"] == "stopped"
    assert (chat.failed, recorder.named("turn").failed) == ("", "")


async def test_the_tree_of_a_turn(emu: Emulator, ann: EmulatedUser, tmp_path: Path, recorder: Recorder) -> None:
    provider = ScriptedProvider()
    provider.answer("a secret answer", Finished(usage=Usage(12, 3)))
    provider.answer(Unavailable("HTTP 503"))
    async with running_bot(emu, tmp_path, admins=[ann.id], provider=provider) as bot:
        await ann.upload(b"words", name="notes.txt", mime="text/plain", caption="a secret question")
        await settled(emu, bot)
        tree, first = recorder.tree(), list(recorder.spans)
        recorder.spans.clear()
        await ann.say("again")
        await settled(emu, bot)
        second = recorder

    assert [line for line in tree if "telegram" not in line] == [
        "update",
        "update > turn",
        "update > turn > load context",
        "update > turn > read files",
        "update > turn > chat model",
        "update > turn > outbox send",
    ]
    assert "update > turn > read files > telegram getFile" in tree
    assert "update > turn > outbox send > telegram sendMessage" in tree
    chat = next(each for each in first if each.name == "chat model")
    assert chat.kind == "client"
    assert chat.attributes == {
        "gen_ai.operation.name": "chat",
        "gen_ai.provider.name": "scripted",
        "gen_ai.request.model": "model",
        "gen_ai.usage.input_tokens": 12,
        "gen_ai.usage.output_tokens": 3,
        "tgllm.request.outcome": "ok",
    }
    assert second.named("chat model").failed == "unavailable"
    turns = [each.attributes for each in [*first, *second.spans] if each.name == "turn"]
    assert [each["tgllm.turn.id"] for each in turns] == ["u700000001", "u700000002"]
    assert {each.ended for each in [*first, *second.spans]} == {1}
    assert "secret" not in str([each.attributes for each in first])
    assert "notes" not in str([each.attributes for each in first])


async def test_a_missing_package_is_said_and_the_bot_goes_on(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def missing(name: str) -> None:
        raise ModuleNotFoundError(name)

    monkeypatch.setattr(export, "import_module", missing)
    async with export.exported_traces(None):
        with span("x", begins=True) as opened:
            assert opened is NO_SPAN

    assert "pip install 'tgllm[tracing]'" in capsys.readouterr().out
