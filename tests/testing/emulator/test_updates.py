"""getUpdates: offsets, limits, timeouts, kinds, conflicts, repeats, expiry."""

import asyncio
from collections.abc import AsyncIterator
from typing import Any

import aiohttp
import pytest

from emulator_support import Call
from tgllm.testing.clock import ManualClock
from tgllm.testing.emulator import EmulatedChat, EmulatedUser, Emulator


async def texts(api: Call, **params: Any) -> list[str]:
    return [update["message"]["text"] for update in await api("getUpdates", **params)]


async def test_unconfirmed_updates_come_again(ann: EmulatedUser, api: Call) -> None:
    await ann.say("one")
    await ann.say("two")
    first = await api("getUpdates")
    assert await api("getUpdates") == first
    assert [u["update_id"] for u in first] == [first[0]["update_id"], first[0]["update_id"] + 1]


async def test_offset_confirms_what_is_before_it(ann: EmulatedUser, api: Call) -> None:
    await ann.say("one")
    await ann.say("two")
    first = await api("getUpdates", limit=1)
    assert len(first) == 1
    assert await texts(api, offset=first[0]["update_id"] + 1) == ["two"]
    assert await texts(api) == ["two"]


async def test_negative_offset_keeps_the_newest(ann: EmulatedUser, api: Call) -> None:
    for word in ("one", "two", "three"):
        await ann.say(word)
    assert await texts(api, offset=-1) == ["three"]
    assert await texts(api) == ["three"]


async def test_a_waiting_poll_is_woken_by_an_update(emu: Emulator, ann: EmulatedUser, api: Call) -> None:
    poll = asyncio.create_task(texts(api, timeout=50))
    await emu.wait_for(lambda: emu.journal.of("getUpdates"))
    await ann.say("late")
    assert await poll == ["late"]


async def test_a_second_poller_ends_the_first(emu: Emulator, ann: EmulatedUser, api: Call, refused: Call) -> None:
    first = asyncio.create_task(refused("getUpdates", timeout=50))
    await emu.wait_for(lambda: emu.journal.of("getUpdates"))
    second = asyncio.create_task(texts(api, timeout=50))
    assert await first == (
        "409 Conflict: terminated by other getUpdates request; make sure that only one bot instance is running"
    )
    await ann.say("for the second")
    assert await second == ["for the second"]


async def test_allowed_updates_are_remembered_and_reactions_are_off_by_default(ann: EmulatedUser, api: Call) -> None:
    message = await ann.say("hi")
    await ann.react(message, "👍")
    assert [set(u) - {"update_id"} for u in await api("getUpdates")] == [{"message"}]
    await api("getUpdates", allowed_updates=["message_reaction"], offset=-1)
    await ann.say("not wanted any more")
    await ann.react(message, "👎")
    newest = (await api("getUpdates"))[-1]
    assert newest["message_reaction"]["new_reaction"] == [{"type": "emoji", "emoji": "👎"}]
    assert newest["message_reaction"]["old_reaction"] == [{"type": "emoji", "emoji": "👍"}]
    await api("getUpdates", allowed_updates=[], offset=newest["update_id"] + 1)
    await ann.say("wanted again")
    assert await texts(api) == ["wanted again"]


async def test_injected_updates_pass_as_they_are(emu: Emulator, api: Call) -> None:
    emu.inject_update({"message": {"rich_message": {"blocks": [{"type": "brand_new"}]}}})
    (update,) = await api("getUpdates")
    assert update["message"]["rich_message"]["blocks"][0]["type"] == "brand_new"


async def test_a_repeated_update_has_the_same_id_and_comes_although_confirmed(
    emu: Emulator, ann: EmulatedUser, api: Call
) -> None:
    await ann.say("twice")
    (update,) = await api("getUpdates")
    assert await api("getUpdates", offset=update["update_id"] + 1) == []
    emu.repeat_update()
    assert await api("getUpdates", offset=update["update_id"] + 1) == [update]
    assert await api("getUpdates", offset=update["update_id"] + 1) == []
    with pytest.raises(LookupError):
        emu.repeat_update(1)


@pytest.fixture
async def slow() -> AsyncIterator[tuple[Emulator, ManualClock]]:
    clock = ManualClock()
    async with Emulator(clock=clock) as emulator:
        yield emulator, clock


async def test_an_empty_poll_ends_after_its_timeout(
    slow: tuple[Emulator, ManualClock], http: aiohttp.ClientSession
) -> None:
    emu, clock = slow
    url = f"{emu.base_url}/bot{emu.token}/getUpdates"
    asked = asyncio.create_task(http.post(url, data={"timeout": "500"}))
    await emu.wait_for(lambda: emu.journal.of("getUpdates"))
    await clock.advance(49)
    assert not asked.done()
    await clock.advance(1)
    assert (await (await asked).json()) == {"ok": True, "result": []}


async def test_updates_expire(slow: tuple[Emulator, ManualClock]) -> None:
    emu, clock = slow
    ann = emu.add_user(first_name="Ann")
    chat: EmulatedChat = ann.private_chat()
    await ann.say("old")
    assert len(emu.bot.queue.pending) == 1
    await clock.advance(24 * 3600)
    assert emu.bot.queue.pending == ()
    assert chat.messages[0].text == "old"


@pytest.mark.parametrize("kinds", [["brand_new"], ["BRAND_NEW", "other"]])
async def test_kinds_that_there_are_not_mean_the_default_ones(ann: EmulatedUser, api: Call, kinds: list[str]) -> None:
    await api("getUpdates", allowed_updates=kinds)
    await ann.say("hi")
    assert await texts(api) == ["hi"]
    await api("getUpdates", allowed_updates=[*kinds, "Callback_Query"], offset=-1)
    await ann.say("not wanted")
    assert await texts(api) == ["hi"]


async def test_a_poll_whose_client_went_away_takes_nothing(
    emu: Emulator, ann: EmulatedUser, http: aiohttp.ClientSession, api: Call
) -> None:
    await ann.say("again and again")
    (update,) = await api("getUpdates")
    offset = update["update_id"] + 1
    gone = asyncio.create_task(api("getUpdates", offset=offset, timeout=50))
    await emu.wait_for(lambda: len(emu.journal) == 2)
    gone.cancel()
    await http.close()
    (poll,) = emu.journal.of("getUpdates")[1:]
    emu.repeat_update()
    await emu.wait_for(lambda: poll.status is not None)
    assert poll.status == 0
    assert [u.update_id for u in emu.bot.queue.pending if u.repeated] == [update["update_id"]]


async def test_bytes_stand_in_place_of_an_update(emu: Emulator, ann: EmulatedUser, http: aiohttp.ClientSession) -> None:
    await ann.say("before")
    update_id = emu.inject_bytes(lambda number: b'{"update_id":%d,"x":NaN' % number)
    async with http.get(f"{emu.base_url}/bot{emu.token}/getUpdates") as answer:
        body = await answer.read()
    assert body.startswith(b'{"ok":true,"result":[{')
    assert body.endswith(b',\n{"update_id":%d,"x":NaN]}' % update_id)
    async with http.get(f"{emu.base_url}/bot{emu.token}/getUpdates", params={"offset": update_id + 1}) as answer:
        assert await answer.json() == {"ok": True, "result": []}
