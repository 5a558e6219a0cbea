"""What ``/usage`` tells a person of their own usage."""

from bot_support import Ask, Start
from tgllm.api import Finished, Usage
from tgllm.db.engine.unit import Connection
from tgllm.db.tables import usage
from tgllm.db.tables.usage import Spent
from tgllm.testing.emulator import Emulator
from tgllm.testing.emulator.users import EmulatedUser
from tgllm.testing.scripted import ScriptedProvider

PRICES = {"scripted/model": {"input": 2.0, "output": 10.0}}


async def test_requests_tokens_and_cost_are_told_for_each_time_and_model(
    ask: Ask, ann: EmulatedUser, start: Start, provider: ScriptedProvider
) -> None:
    provider.answer("Hello", Finished(usage=Usage(input_tokens=12_345, output_tokens=100)))

    def before(conn: Connection) -> None:
        usage.add(conn, ann.id, "2020-01-01", "old", "one", Spent(input_tokens=5, output_tokens=6))
        usage.add(conn, ann.id + 1, "2020-01-01", "other", "person", Spent(input_tokens=7))

    async with start(prices=PRICES) as bot:
        await bot.core.database.write(before)
        await ask("hi")
        told = (await ask("/usage")).text
    now = "1 request, 12\u202f345 tokens read, 100 written, $0.02569"
    assert told.splitlines() == [
        "What you have used, in all chats (days and months: UTC):",
        "",
        f"Today: {now}",
        f"This month: {now}",
        "In all: 2 requests, 12\u202f350 tokens read, 106 written, at least $0.02569",
        "",
        "By model, in all:",
        f"scripted/model: {now}",
        "old/one: 1 request, 5 tokens read, 6 written",
        "",
        "The price of old/one is not known, so its costs are not counted.",
    ]


async def test_who_has_used_nothing_is_told_so(ask: Ask, start: Start) -> None:
    async with start():
        told = (await ask("/usage")).text.splitlines()
    assert told[2:] == ["Today: nothing", "This month: nothing", "In all: nothing"]


async def test_only_the_most_expensive_models_are_listed(ask: Ask, ann: EmulatedUser, start: Start) -> None:
    def before(conn: Connection) -> None:
        for number in range(22):
            usage.add(conn, ann.id, "2020-01-01", "many", f"m{number:02}", Spent(cost_micros=number))

    async with start() as bot:
        await bot.core.database.write(before)
        told = (await ask("/usage")).text.splitlines()
    assert [line.partition(":")[0] for line in told[-21:]] == [
        *(f"many/m{number:02}" for number in range(21, 1, -1)),
        "and 2 more",
    ]


async def test_in_a_group_it_is_ones_own(emu: Emulator, ask: Ask, ann: EmulatedUser, start: Start) -> None:
    group = emu.add_group(title="Team", members=[ann])
    async with start():
        await ask("hello")
        told = (await ask("/usage@demo_bot", chat=group)).text.splitlines()
    assert told[2].startswith("Today: 1 request,")
