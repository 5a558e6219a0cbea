"""The search for the admin in the updates of a bot, which lose nothing."""

import asyncio

import pytest

from tgllm.api.clock import SystemClock
from tgllm.bot.telegram.account import AccountError
from tgllm.cli.commands.init.code_search import SearchEnd, greet, search
from tgllm.services.setup.admin_code import AdminCode
from tgllm.testing.emulator import EmulatedUser, Emulator, Fault


@pytest.fixture
def code() -> AdminCode:
    return AdminCode()


class Search:
    """A running search."""

    def __init__(self, emu: Emulator, code: AdminCode, *, seconds: int = 60, allowed: tuple[str, ...] = ()) -> None:
        self.said: list[tuple[str, str]] = []
        self.task = asyncio.create_task(
            search(
                emu.token,
                emu.base_url,
                code,
                SystemClock(),
                lambda key, detail: self.said.append((key, detail)),
                seconds=seconds,
                allowed=allowed,
            )
        )

    async def end(self) -> SearchEnd:
        return await self.task


@pytest.fixture(autouse=True)
def short_pauses(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("tgllm.cli.commands.init.code_search._PAUSE_SECONDS", 0.01)
    monkeypatch.setattr("tgllm.cli.commands.init.code_search._RETRY_SECONDS", 0.01)
    monkeypatch.setattr("sys.stdin.isatty", lambda: False)


async def polled(emu: Emulator) -> None:
    await emu.wait_for(lambda: emu.bot.queue.is_polled)


async def test_the_first_who_sends_it_is_found(emu: Emulator, ann: EmulatedUser, code: AdminCode) -> None:
    running = Search(emu, code)
    await polled(emu)
    await ann.say(code.text)
    ended = await running.end()

    assert ended.found is not None
    assert (ended.end, ended.found.user_id) == ("found", ann.id)
    assert running.said == []


async def test_messages_of_others_stay_with_telegram(emu: Emulator, ann: EmulatedUser, code: AdminCode) -> None:
    eve = emu.add_user(first_name="Eve")
    await eve.say("before")
    running = Search(emu, code)
    await emu.wait_for(lambda: len(emu.journal.of("getUpdates")) > 2)
    await ann.say(f"/start {code.text}")
    await eve.say("after")
    ended = await running.end()
    assert ended.found is not None
    await greet(emu.token, emu.base_url, ended.found.user_id, "Hello", ended.confirmed)

    assert ended.confirmed is None
    assert len(emu.bot.queue.pending) == 3
    assert all("offset" not in call.params for call in emu.journal.of("getUpdates"))


async def test_the_code_itself_is_confirmed_and_answered(emu: Emulator, ann: EmulatedUser, code: AdminCode) -> None:
    running = Search(emu, code)
    await polled(emu)
    await ann.say("/start")
    await ann.say(code.text)
    ended = await running.end()
    assert ended.found is not None
    await greet(emu.token, emu.base_url, ended.found.user_id, "Hello", ended.confirmed)

    assert [message.text for message in ann.private_chat().messages][-1] == "Hello"
    assert len(emu.bot.queue.pending) == 0


async def test_in_a_group_it_is_replaced(emu: Emulator, ann: EmulatedUser, code: AdminCode) -> None:
    group = emu.add_group(title="Team", members=[ann])
    running, first = Search(emu, code), code.text
    await polled(emu)
    await ann.say(first, chat=group)
    await emu.wait_for(lambda: len(running.said) == 2)
    assert running.said[0][0] == "init.code_group"
    assert running.said[1] == ("init.code_new", code.text)
    assert code.text != first
    eve = emu.add_user(first_name="Eve")
    await eve.say(first)
    await ann.say(code.text)
    ended = await running.end()

    assert ended.found is not None
    assert ended.found.user_id == ann.id


async def test_another_program_that_fetches_the_updates_ends_it(emu: Emulator, code: AdminCode) -> None:
    emu.faults.add(Fault.conflict())
    with pytest.raises(AccountError, match="Another program") as raised:
        await Search(emu, code).end()

    assert raised.value.problem == "poller"


async def test_a_failing_network_is_waited_out(emu: Emulator, ann: EmulatedUser, code: AdminCode) -> None:
    emu.faults.add(Fault.bad_gateway("getUpdates", times=3))
    running = Search(emu, code)
    await polled(emu)
    await ann.say(code.text)

    assert (await running.end()).end == "found"
    assert [key for key, _ in running.said] == ["init.search_failed"]
    assert all(emu.token not in detail for _, detail in running.said)


async def test_without_a_code_it_ends(emu: Emulator, code: AdminCode) -> None:
    assert (await Search(emu, code, seconds=1).end()).end == "timeout"


async def test_a_hundred_waiting_messages_hide_the_code(emu: Emulator, ann: EmulatedUser, code: AdminCode) -> None:
    eve = emu.add_user(first_name="Eve")
    for _ in range(100):
        await eve.say("hello?")

    assert (await Search(emu, code).end()).end == "full"
    assert len(emu.bot.queue.pending) == 100


async def test_a_list_of_update_types_without_messages_is_mended(
    emu: Emulator, ann: EmulatedUser, code: AdminCode
) -> None:
    emu.bot.queue.allow(["callback_query"])
    running = Search(emu, code, allowed=("callback_query",))
    await polled(emu)
    await ann.say(code.text)

    assert (await running.end()).end == "found"
