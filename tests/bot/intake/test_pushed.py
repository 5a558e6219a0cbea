"""Updates sent to the webhook: one commit for those that arrive together, and no update blocks its chat for good."""

import asyncio
import json
from collections.abc import AsyncIterator

import pytest

from tgllm.api import DatabaseError
from tgllm.bot.intake import pushed as pushed_module
from tgllm.bot.intake.pushed import Pushed
from tgllm.bot.intake.reading import Batch


class Inbox:
    """Stores batches."""

    def __init__(self) -> None:
        self.batches: list[Batch] = []
        self.go_on = asyncio.Event()
        self.go_on.set()
        self.begun = asyncio.Event()
        self.error: Exception | None = None

    async def take(self, batch: Batch) -> bool:
        self.begun.set()
        await self.go_on.wait()
        if self.error is not None:
            raise self.error
        self.batches.append(batch)
        return True

    @property
    def ids(self) -> list[int]:
        return [each for batch in self.batches for each in batch.ids]


def update(number: int, text: str = "x") -> bytes:
    chat = {"id": 5, "type": "private"}
    message = {"message_id": number, "date": 1, "chat": chat, "from": {"id": 5, "is_bot": False}, "text": text}
    return json.dumps({"update_id": number, "message": message}).encode()


@pytest.fixture
def stored() -> Inbox:
    return Inbox()


@pytest.fixture
async def pushed(stored: Inbox) -> AsyncIterator[Pushed]:
    found = Pushed(stored.take)
    task = asyncio.create_task(found.run())
    await asyncio.sleep(0)
    yield found
    task.cancel()
    await asyncio.wait([task])


async def test_an_update_is_stored_before_the_answer(pushed: Pushed, stored: Inbox) -> None:
    stored.go_on.clear()
    putting = asyncio.create_task(pushed.put(update(1)))
    await stored.begun.wait()
    assert not putting.done()
    stored.go_on.set()

    assert await putting == "stored"
    assert stored.ids == [1]


async def test_what_arrives_during_a_commit_shares_the_next_one(pushed: Pushed, stored: Inbox) -> None:
    stored.go_on.clear()
    first = asyncio.create_task(pushed.put(update(1)))
    await stored.begun.wait()
    rest = [asyncio.create_task(pushed.put(update(number))) for number in range(2, 150)]
    await asyncio.sleep(0)
    stored.go_on.set()

    assert set(await asyncio.gather(first, *rest)) == {"stored"}
    assert [len(batch.ids) for batch in stored.batches] == [1, 100, 48]
    assert stored.ids == list(range(1, 150))


async def test_an_update_that_comes_twice_at_the_same_time_is_accepted_twice(pushed: Pushed, stored: Inbox) -> None:
    assert await asyncio.gather(pushed.put(update(1)), pushed.put(update(1))) == ["stored", "stored"]
    assert set(stored.ids) == {1}


async def test_later_ids_may_come_first(pushed: Pushed, stored: Inbox) -> None:
    for number in (7, 3, 5, 3):
        assert await pushed.put(update(number)) == "stored"

    assert stored.ids == [7, 3, 5, 3]


@pytest.mark.parametrize(
    "body",
    [b"", b"hello", b"[]", b"null", b"{}", b'{"update_id":-1}', b'{"update_id":true}', b'{"update_id":1e99}', b"\xff"],
)
async def test_what_is_no_update_is_refused_however_often(pushed: Pushed, stored: Inbox, body: bytes) -> None:
    assert [await pushed.put(body) for _ in range(5)] == ["unreadable"] * 5
    assert stored.batches == []


@pytest.mark.parametrize(
    "body",
    [b'{"update_id":5,"message":NaN}', b'{"update_id":5,"x":' + b"[" * 5000 + b"]" * 5000 + b"}"],
    ids=["constant", "deep"],
)
async def test_a_whole_update_that_can_not_be_read_is_put_aside(pushed: Pushed, stored: Inbox, body: bytes) -> None:
    assert await pushed.put(body) == "stored"
    assert [each.update_id for each in stored.batches[0].unreadable] == [5]


@pytest.mark.parametrize("is_whole", [True, False])
async def test_a_part_of_an_update_is_refused_twice_and_then_put_aside(
    pushed: Pushed, stored: Inbox, is_whole: bool
) -> None:
    body = update(5)[:40]
    word = "unreadable" if is_whole else "too_large"

    assert [await pushed.put(body, is_whole=is_whole) for _ in range(3)] == [word, word, "stored"]
    assert [each.update_id for each in stored.batches[0].unreadable] == [5]


async def test_an_update_that_was_only_broken_on_the_way_is_stored_whole(pushed: Pushed, stored: Inbox) -> None:
    answers = [await pushed.put(body) for body in (update(5)[:40], update(5)[:30], update(5))]

    assert answers == ["unreadable", "unreadable", "stored"]
    assert [each.update_id for each in stored.batches[0].updates] == [5]
    # Its count begins anew.
    assert await pushed.put(update(5)[:40]) == "unreadable"


async def test_refusals_of_many_updates_take_a_bounded_memory(pushed: Pushed, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pushed_module, "MOST_REFUSED", 10)
    for number in range(100):
        await pushed.put(b'{"update_id":%d,"message":{' % number)

    assert len(pushed._refused) == 10


async def test_before_and_after_it_runs_the_answer_is_later(stored: Inbox) -> None:
    pushed = Pushed(stored.take)
    before = await pushed.put(update(1))
    task = asyncio.create_task(pushed.run())
    await asyncio.sleep(0)
    during = await pushed.put(update(1))
    task.cancel()
    await asyncio.wait([task])

    assert (before, during, await pushed.put(update(1))) == ("later", "stored", "later")


async def test_what_waits_at_the_end_is_sent_later(stored: Inbox) -> None:
    stored.go_on.clear()
    pushed = Pushed(stored.take)
    task = asyncio.create_task(pushed.run())
    await asyncio.sleep(0)
    waiting = [asyncio.create_task(pushed.put(update(number))) for number in range(3)]
    await stored.begun.wait()
    task.cancel()
    await asyncio.wait([task])

    assert [await each for each in waiting] == ["later"] * 3


async def test_a_database_that_can_not_store_makes_telegram_send_later(stored: Inbox) -> None:
    stored.error = DatabaseError("the disk is full", code="database_full")
    pushed = Pushed(stored.take)
    task = asyncio.create_task(pushed.run())
    await asyncio.sleep(0)

    assert await pushed.put(update(1)) == "later"
    with pytest.raises(DatabaseError):
        await task


async def test_while_nothing_can_be_stored_telegram_is_asked_to_send_later(stored: Inbox) -> None:
    is_full = True
    pushed = Pushed(stored.take, lambda: not is_full)
    task = asyncio.create_task(pushed.run())
    await asyncio.sleep(0)
    before = await pushed.put(update(1))
    is_full = False
    after = await pushed.put(update(1))
    task.cancel()
    await asyncio.wait([task])

    assert (before, after) == ("later", "stored")


async def test_what_waits_for_a_disk_that_became_full_is_sent_later_and_accepted_then(
    pushed: Pushed, stored: Inbox
) -> None:
    stored.go_on.clear()
    first = asyncio.create_task(pushed.put(update(1)))
    await stored.begun.wait()
    second = asyncio.create_task(pushed.put(update(2)))
    await asyncio.sleep(0)
    pushed.send_later()
    answers = await asyncio.gather(first, second)
    stored.go_on.set()

    assert answers == ["later", "later"]
    assert await asyncio.gather(pushed.put(update(1)), pushed.put(update(2))) == ["stored", "stored"]


async def test_more_than_wait_at_once_are_sent_later(
    pushed: Pushed, stored: Inbox, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(pushed_module, "MOST_WAITING", 3)
    stored.go_on.clear()
    tasks = [asyncio.create_task(pushed.put(update(number))) for number in range(10)]
    await asyncio.sleep(0)
    stored.go_on.set()
    answers = await asyncio.gather(*tasks)

    assert answers.count("stored") == 3
    assert answers.count("later") == 7


async def test_a_large_update_is_read_beside_the_loop(pushed: Pushed, stored: Inbox) -> None:
    assert await pushed.put(update(1, "é" * 200_000)) == "stored"
    assert stored.ids == [1]
