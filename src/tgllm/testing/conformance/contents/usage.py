"""Tests of the counts of tokens, from which costs and budgets are computed."""

import asyncio
from contextlib import aclosing

import pytest

from tgllm.api import Finished, TextDelta, Usage
from tgllm.testing.conformance.checking import check, not_covered, offered
from tgllm.testing.conformance.kit import Kit
from tgllm.testing.conformance.subject import Subject

__all__ = ["UsageTests"]

_COUNTED = Usage(input_tokens=321, output_tokens=45, reasoning_tokens=20, cached_tokens=300)
_WRITTEN = Usage(input_tokens=321, output_tokens=45, reasoning_tokens=0, cached_tokens=100, cache_write_tokens=200)


class UsageTests(Kit):
    """Cached tokens are part of the input, reasoning tokens part of the output, and none is lost."""

    async def test_no_token_is_left_out_of_the_sums(self, subject: Subject) -> None:
        """``input_tokens`` includes cached tokens, ``output_tokens`` reasoning, however the service counts them."""
        usage = await _usage(subject)
        found = usage.input_tokens, usage.output_tokens
        check(found[0] == 321, f"of 321 tokens of the input 300 came from a cache, and input_tokens is {found[0]}")
        check(found[1] == 45, f"of 45 tokens of the output 20 were reasoning, and output_tokens is {found[1]}")

    @pytest.mark.parametrize("part", ["reasoning_tokens", "cached_tokens"])
    async def test_a_part_of_the_tokens_is_told(self, subject: Subject, part: str) -> None:
        """``reasoning_tokens`` and ``cached_tokens``, which have prices of their own, are what the service reports."""
        if not subject.service.counts:
            not_covered("set counts")
        if part not in subject.service.counts:
            pytest.skip(f"the service does not report {part}")
        wanted, found = getattr(_COUNTED, part), getattr(await _usage(subject), part)
        check(found == wanted, f"the service counted {wanted} {part}, and Finished says {found}")

    async def test_tokens_written_to_a_cache_are_told(self, subject: Subject) -> None:
        """``cache_write_tokens``, which have a price of their own, are part of ``input_tokens``."""
        if "cache_write_tokens" not in subject.service.counts:
            pytest.skip("the service does not report cache_write_tokens")
        offered("answer", lambda: subject.service.answer("Counted.", usage=_WRITTEN))
        usage = (await subject.hear(subject.ask("Count"))).finished.usage
        found = usage.input_tokens, usage.cached_tokens, usage.cache_write_tokens
        check(found == (321, 100, 200), f"of 321 tokens 100 were read from a cache and 200 written to it, not {found}")

    async def test_usage_that_comes_late_counts(self, subject: Subject) -> None:
        """Usage in an event of its own, after the end of the text, is read as well."""
        if not subject.service.counts:
            not_covered("set counts")
        usual = (await subject.hear(subject.ask("one two three"))).finished.usage
        try:
            subject.service.deviate("usage apart", "one two three")
        except NotImplementedError:
            pytest.skip("the service never sends usage apart from the end of an answer")
        late = (await subject.hear(subject.ask("one two three"))).finished.usage
        check(late == usual, f"usage that comes in an event of its own becomes {late} instead of {usual}")

    async def test_usage_belongs_to_its_answer(self, subject: Subject) -> None:
        """Of two answers at the same time each has its own counts, reasoning and end."""
        counts = {"alpha " * 8: 1111, "beta " * 8: 2222}
        for text, tokens in counts.items():
            words = text.replace(" ", " |").split("|")
            usage = Usage(input_tokens=tokens, output_tokens=33, reasoning_tokens=0, cached_tokens=0)
            offered("answer", lambda words=words, usage=usage: subject.service.answer(*words, usage=usage))
        streams = [subject.provider.generate(subject.ask(name)) for name in ("one", "two")]
        found, texts, reading = dict[str, int | None](), ["", ""], {0, 1}
        async with asyncio.timeout(subject.seconds), aclosing(streams[0]), aclosing(streams[1]):
            while reading:
                for number in sorted(reading):
                    event = await anext(streams[number], None)
                    if event is None:
                        reading.discard(number)
                    elif isinstance(event, TextDelta):
                        texts[number] += event.text
                    elif isinstance(event, Finished):
                        found[texts[number]] = event.usage.input_tokens
        check(found == counts, f"two answers at once have the input_tokens {found} instead of {counts}")


async def _usage(subject: Subject) -> Usage:
    offered("answer", lambda: subject.service.answer("Counted.", reasoning="One, two.", usage=_COUNTED))
    return (await subject.hear(subject.ask("Count"))).finished.usage
