"""Troubles to order, and the sending rates."""

import asyncio
from collections.abc import Callable

import aiohttp
import pytest

from emulator_support import Call
from tgllm.testing.clock import ManualClock
from tgllm.testing.emulator import EVERY_METHOD, EmulatedChat, EmulatedUser, Emulator, Fault, RateLimits


async def test_retry_after_strikes_the_next_calls_and_does_nothing(
    emu: Emulator, chat: EmulatedChat, http: aiohttp.ClientSession, api: Call
) -> None:
    emu.faults.add(Fault.retry_after("sendMessage", 3))
    url = f"{emu.base_url}/bot{emu.token}/sendMessage"
    async with http.post(url, json={"chat_id": chat.id, "text": "x"}) as response:
        assert response.status == 429
        assert response.headers["Retry-After"] == "3"
        assert await response.json() == {
            "ok": False,
            "error_code": 429,
            "description": "Too Many Requests: retry after 3",
            "parameters": {"retry_after": 3},
        }
    assert chat.messages == []
    await api("sendMessage", chat_id=chat.id, text="x")
    assert [call.status for call in emu.journal.of("sendMessage")] == [429, 200]


async def test_a_fault_can_be_for_one_chat_and_for_every_method(emu: Emulator, api: Call, refused: Call) -> None:
    ann, bob = emu.add_user(first_name="Ann"), emu.add_user(first_name="Bob")
    ann.private_chat(), bob.private_chat()
    fault = emu.faults.add(Fault.api_error(EVERY_METHOD, 500, "Internal", times=None, chat_id=ann.id))
    await api("sendMessage", chat_id=bob.id, text="x")
    await api("getUpdates")
    assert await refused("sendMessage", chat_id=ann.id, text="x") == "500 Internal"
    assert await refused("sendChatAction", chat_id=ann.id, action="typing") == "500 Internal"
    assert fault.hits == 2
    emu.faults.remove(fault)
    await api("sendMessage", chat_id=ann.id, text="x")


async def test_a_gateway_answers_in_html(emu: Emulator, chat: EmulatedChat, http: aiohttp.ClientSession) -> None:
    emu.faults.add(Fault.bad_gateway("sendMessage"))
    url = f"{emu.base_url}/bot{emu.token}/sendMessage"
    async with http.post(url, json={"chat_id": chat.id, "text": "x"}) as response:
        assert response.status == 502
        assert "<h1>502 Bad Gateway</h1>" in await response.text()


@pytest.mark.parametrize(("fault", "kept"), [(Fault.cut_before, 0), (Fault.cut_after, 1)])
async def test_a_cut_connection(
    emu: Emulator, chat: EmulatedChat, api: Call, fault: Callable[[str], Fault], kept: int
) -> None:
    emu.faults.add(fault("sendMessage"))
    with pytest.raises(aiohttp.ClientError):
        await api("sendMessage", chat_id=chat.id, text="x")
    assert len(chat.messages) == kept
    assert emu.journal[-1].status == 0


@pytest.mark.parametrize("after", [False, True])
async def test_a_held_call_goes_on_when_it_is_released(
    emu: Emulator, chat: EmulatedChat, api: Call, *, after: bool
) -> None:
    fault = emu.faults.add(Fault.hold("sendMessage", after=after))
    call = asyncio.create_task(api("sendMessage", chat_id=chat.id, text="x"))
    await fault.reached.wait()
    if after:
        await emu.wait_for(lambda: chat.messages)
    else:
        assert chat.messages == []
    assert not call.done()
    fault.release()
    assert (await call)["text"] == "x"


async def test_getupdates_can_be_refused(emu: Emulator, refused: Call, api: Call) -> None:
    emu.faults.add(Fault.unauthorized())
    emu.faults.add(Fault.conflict())
    emu.faults.add(Fault.restarting("getUpdates"))
    assert await refused("getUpdates") == "401 Unauthorized"
    assert (await refused("getUpdates")).startswith("409 Conflict: terminated by other getUpdates")
    assert await refused("getUpdates") == "500 Internal Server Error: restart"
    assert await api("getUpdates") == []


async def test_a_restart_cuts_polls_and_keeps_the_state(emu: Emulator, ann: EmulatedUser, api: Call) -> None:
    address = emu.base_url
    message = await ann.say("still there?")
    await api("getUpdates", offset=-1)
    await emu.restart()
    assert emu.base_url == address
    (update,) = await api("getUpdates")
    assert update["message"]["message_id"] == message.id


async def test_stopping_cuts_what_waits(emu: Emulator, api: Call) -> None:
    poll = asyncio.create_task(api("getUpdates", timeout=50))
    await emu.wait_for(lambda: emu.journal.of("getUpdates"))
    await emu.stop()
    with pytest.raises(aiohttp.ClientError):
        await poll


async def sends(emu: Emulator, chat: EmulatedChat, http: aiohttp.ClientSession, times: int) -> list[int]:
    url = f"{emu.base_url}/bot{emu.token}/sendMessage"
    statuses: list[int] = []
    for _ in range(times):
        async with http.post(url, json={"chat_id": chat.id, "text": "x"}) as response:
            statuses.append(response.status)
    return statuses


async def test_rates_hold_for_a_chat_a_group_and_the_bot(http: aiohttp.ClientSession) -> None:
    clock = ManualClock()
    limits = RateLimits(chat_per_second=1, chat_burst=3, group_per_minute=5, bot_per_second=30)
    async with Emulator(clock=clock, rate_limits=limits) as emu:
        chat = emu.add_user(first_name="Ann").private_chat()
        assert await sends(emu, chat, http, 5) == [200, 200, 200, 429, 429]
        assert emu.rates.violations == 2
        await clock.advance(1)
        assert await sends(emu, chat, http, 2) == [200, 429]
        group = emu.add_group(title="Team")
        assert await sends(emu, group, http, 3) == [200, 200, 200]
        await clock.advance(10)
        assert await sends(emu, group, http, 3) == [200, 200, 429]
        assert emu.journal[-1].error == "Too Many Requests: retry after 50"
        await clock.advance(50)
        assert await sends(emu, group, http, 1) == [200]


async def test_other_rates_hold_at_once(http: aiohttp.ClientSession) -> None:
    async with Emulator(clock=ManualClock(), rate_limits=RateLimits(chat_burst=1)) as emu:
        chat = emu.add_user(first_name="Ann").private_chat()
        assert await sends(emu, chat, http, 2) == [200, 429]
        emu.rates.limits = RateLimits(chat_burst=2)
        assert await sends(emu, chat, http, 3) == [200, 200, 429]


async def test_rates_are_off_by_default(emu: Emulator, chat: EmulatedChat, http: aiohttp.ClientSession) -> None:
    assert set(await sends(emu, chat, http, 50)) == {200}


def test_a_fault_for_a_method_that_is_not_there_is_an_error(emu: Emulator) -> None:
    with pytest.raises(ValueError, match="no method sendMesage"):
        emu.faults.add(Fault.retry_after("sendMesage", 1))


async def test_a_response_may_be_any_bytes(emu: Emulator, http: aiohttp.ClientSession) -> None:
    emu.faults.add(Fault.raw("getMe", b"\xff{", status=203, headers={"Content-Type": "text/plain"}))
    async with http.get(f"{emu.base_url}/bot{emu.token}/getMe") as answer:
        assert (answer.status, answer.content_type, await answer.read()) == (203, "text/plain", b"\xff{")
    async with http.get(f"{emu.base_url}/bot{emu.token}/getMe") as answer:
        assert answer.status == 200
