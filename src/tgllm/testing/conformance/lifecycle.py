"""Tests of cancellation, early closing and shutdown."""

import asyncio
from contextlib import aclosing
from pathlib import Path

import pytest

from tgllm.api import TextDelta, Unavailable
from tgllm.testing.conformance.checking import check, eventually, offered, raising
from tgllm.testing.conformance.kit import Kit
from tgllm.testing.conformance.loading import create, loaded
from tgllm.testing.conformance.recording import RecordedLog
from tgllm.testing.conformance.subject import Subject

__all__ = ["LifecycleTests"]

_ANSWERS = 6
_MOST_CONNECTIONS = 3


class LifecycleTests(Kit):
    """Streams and connections are closed in every case."""

    async def test_cancellation_closes_the_connection(self, subject: Subject) -> None:
        """A task that is cancelled while it reads an answer ends as cancelled, and its connection is closed."""
        subject.service.stall("The beginning ")
        begun = asyncio.Event()
        task = asyncio.create_task(_read_on(subject, begun))
        try:
            async with asyncio.timeout(subject.seconds):
                await begun.wait()
        finally:
            task.cancel()
            await asyncio.wait({task}, timeout=subject.seconds)
        check(task.cancelled(), "cancellation does not pass through generate: CancelledError must not be swallowed")
        await _all_streams_end(subject)

    async def test_aclose_in_the_middle_closes_the_connection(self, subject: Subject) -> None:
        """Closing a stream early closes its connection."""
        subject.service.stall("The beginning ")
        async with asyncio.timeout(subject.seconds), aclosing(subject.provider.generate(subject.ask("Go"))) as stream:
            await anext(event async for event in stream if isinstance(event, TextDelta))
        await _all_streams_end(subject)

    async def test_cancellation_before_the_first_piece_closes_the_connection(self, subject: Subject) -> None:
        """A task that is cancelled while the service thinks ends as cancelled, and its connection is closed."""
        offered("open_streams", lambda: subject.service.open_streams)
        offered("stall", subject.service.stall)
        task = asyncio.create_task(_read_on(subject, asyncio.Event()))
        try:
            words = "the service was not asked before the timeout"
            await eventually(lambda: subject.service.open_streams == 1, words, subject.seconds)
        finally:
            task.cancel()
            await asyncio.wait({task}, timeout=subject.seconds)
        check(task.cancelled(), "cancellation does not pass through generate: CancelledError must not be swallowed")
        await _all_streams_end(subject)

    async def test_it_answers_after_an_answer_that_broke_off(self, subject: Subject) -> None:
        """An answer that fails does not affect the next one."""
        offered("cut", lambda: subject.service.cut("Only the beginning "))
        await subject.failure()
        heard = await subject.hear(subject.ask("And now the next"))
        check(heard.text == "And now the next", f"the next answer became {heard.text!r}")

    @pytest.mark.parametrize("ending", ["complete", "closed", "failed"])
    async def test_answers_leave_no_connections_behind(self, subject: Subject, ending: str) -> None:
        """Answers one after another use one connection, or close theirs: connections do not add up."""
        offered("open_connections", lambda: subject.service.open_connections)
        if ending == "failed":
            offered("fail", lambda: subject.service.fail(Unavailable))
        for _ in range(_ANSWERS):
            if ending == "failed":
                await subject.failure()
                continue
            async with aclosing(subject.listen(subject.ask("a b c"))) as events:
                async for event in events:
                    if ending == "closed" and isinstance(event, TextDelta):
                        break
        await eventually(
            lambda: subject.service.open_connections <= _MOST_CONNECTIONS,
            f"answers, each {ending}, left more than {_MOST_CONNECTIONS} open connections: use one client",
            subject.seconds,
        )

    async def test_it_answers_after_a_stream_was_closed(self, subject: Subject) -> None:
        """Closing a stream does not affect the next answer."""
        subject.service.stall("The beginning ")
        async with asyncio.timeout(subject.seconds), aclosing(subject.provider.generate(subject.ask("Go"))) as stream:
            await anext(event async for event in stream if isinstance(event, TextDelta))
        heard = await subject.hear(subject.ask("And now the next"))
        check(heard.text == "And now the next", f"the next answer became {heard.text!r}")

    async def test_closing_a_stream_leaves_another_open(self, subject: Subject) -> None:
        """Closing a stream does not affect another open stream."""
        offered("stall", lambda: subject.service.stall("The beginning "))
        first = subject.provider.generate(subject.ask("Go"))
        second = subject.provider.generate(subject.ask("one two three"))
        async with asyncio.timeout(subject.seconds), aclosing(first), aclosing(second):
            await anext(event async for event in first if isinstance(event, TextDelta))
            texts = [await anext(event.text async for event in second if isinstance(event, TextDelta))]
            await first.aclose()
            texts += [event.text async for event in second if isinstance(event, TextDelta)]
        check("".join(texts) == "one two three", f"after another stream was closed the answer became {texts}")

    async def test_closing_leaves_no_connection_open(self, subject: Subject) -> None:
        """After ``aclose`` no connection to the service is open."""
        await subject.hear(subject.ask("Hello"))
        await subject.provider.list_models()
        await subject.close()
        await eventually(
            lambda: subject.service.open_connections == 0,
            "connections are open after aclose: close the client that create made",
            subject.seconds,
        )

    async def test_closing_twice_does_no_harm(self, subject: Subject) -> None:
        """``aclose`` may be called twice."""
        await subject.hear(subject.ask("Hello"))
        await subject.close()
        async with asyncio.timeout(subject.seconds):
            await subject.provider.aclose()

    async def test_closing_what_was_never_used_does_no_harm(self, subject: Subject) -> None:
        """A provider can be closed without having been used."""
        await subject.close()

    async def test_a_service_out_of_reach_is_unavailable(self, tmp_path: Path) -> None:
        """A refused connection raises Unavailable."""
        service = self.under_test()
        async with service:
            settings = service.settings
        # The service has stopped, so nothing listens on its port.
        async with loaded(self.plugin, settings, tmp_path, RecordedLog()) as owned:
            gone = Subject(await create(owned), service, owned, [], self.seconds)
            try:
                with raising(Unavailable, "nothing listens at base_url"):
                    await gone.hear(gone.ask("Hello"))
            finally:
                await gone.close()


async def _read_on(subject: Subject, begun: asyncio.Event) -> None:
    async with aclosing(subject.provider.generate(subject.ask("Go"))) as stream:
        async for event in stream:
            if isinstance(event, TextDelta):
                begun.set()


async def _all_streams_end(subject: Subject) -> None:
    await eventually(
        lambda: subject.service.open_streams == 0,
        "the service still writes an answer that nobody reads: close the response in a finally block",
        subject.seconds,
    )
