"""Tests that a provider does not block the event loop, on which all chats run."""

from contextlib import aclosing, suppress

from tgllm.api import ProviderError, Unavailable
from tgllm.testing.conformance.checking import check, offered
from tgllm.testing.conformance.kit import Kit
from tgllm.testing.conformance.network.watching import Blocks, watching_the_loop
from tgllm.testing.conformance.subject import Subject

__all__ = ["BlockingTests"]


class BlockingTests(Kit):
    """While a provider waits or computes, other chats go on."""

    async def test_it_does_not_block_the_loop(self, subject: Subject) -> None:
        """Lists, answers, counts and closing leave the loop to others; long work runs in a thread."""
        # What is loaded and opened once at the first question is left out.
        await subject.provider.list_models()
        await subject.hear(subject.ask("Hello"))
        async with watching_the_loop() as blocks:
            await subject.provider.list_models()
            await subject.provider.count_tokens(subject.ask("Hello"))
            heard = await subject.hear(subject.ask("one two three four five"))
            async with aclosing(subject.listen(subject.ask("six"))) as events:
                await anext(events)
            with suppress(ProviderError):
                await subject.provider.doctor()
            await subject.close()
        _check_none(blocks)
        check(heard.text == "one two three four five", f"the answer became {heard.text!r}")

    async def test_a_failure_does_not_block_the_loop(self, subject: Subject) -> None:
        """Waits before further attempts leave the loop to others."""
        await subject.hear(subject.ask("Hello"))
        offered("fail", lambda: subject.service.fail(Unavailable))
        async with watching_the_loop() as blocks:
            for call in (subject.hear(subject.ask("Hello")), subject.provider.list_models()):
                with suppress(ProviderError):
                    await call
        _check_none(blocks)


def _check_none(blocks: Blocks) -> None:
    check(
        not blocks.found,
        "the event loop was blocked: await asynchronous calls, or use asyncio.to_thread; it stood at\n"
        + "\n".join(blocks.found),
    )
