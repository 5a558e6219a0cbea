"""Attachments are downloaded once, checked before and while they arrive, and kept once."""

import asyncio
import errno
import hashlib
import os
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from made_files.file_support import FakeDownloader, attach
from tgllm.api import FileUnreadable, Unavailable
from tgllm.db.database import Database
from tgllm.db.tables import files
from tgllm.services.files.attachment import Attachment, Download
from tgllm.services.files.blobs import BlobStore
from tgllm.services.files.gathering.receiver import AT_ONCE, Arrival, Received, Receiver
from tgllm.services.files.storage.store import FileStorage
from tgllm.testing.clock import ManualClock

ARRIVAL = Arrival("u1", None)
MOST = 2**20
CONTENT = bytes(range(256)) * 1000


class Inbox:
    """A receiver, and what it leaves on disk."""

    def __init__(self, database: Database, clock: ManualClock, folder: Path, free: Callable[[Path], int]) -> None:
        self.database = database
        self.folder = folder
        self.receiver = Receiver(database, BlobStore(FileStorage(folder), keep_free=1000, free=free), clock, MOST)
        self.begun: list[str] = []

    async def receive(
        self, downloader: FakeDownloader, *attachments: Attachment, arrival: Arrival = ARRIVAL
    ) -> Received:
        return await self.receiver.receive(arrival, attachments, downloader, self.begun.append)

    @property
    def blobs(self) -> list[bytes]:
        return sorted(path.read_bytes() for path in (self.folder / "files").glob("*"))


@pytest.fixture
def inbox(database: Database, clock: ManualClock, tmp_path: Path) -> Inbox:
    return Inbox(database, clock, tmp_path, lambda _: 2**40)


def codes(received: Received) -> list[str]:
    return [failure.code for failure in received.failures]


async def test_a_file_is_stored_as_it_came(inbox: Inbox, tmp_path: Path) -> None:
    sent = attach("a", size=len(CONTENT), name="../../etc/passwd")
    received = await inbox.receive(FakeDownloader({"a": CONTENT}), sent)
    (file,) = received.files
    assert (file.size, file.sha256) == (len(CONTENT), hashlib.sha256(CONTENT).hexdigest())
    assert (file.original_name, file.turn_id, file.key, file.kind) == ("../../etc/passwd", "u1", "a", "document")
    path = tmp_path / file.path
    assert path.read_bytes() == CONTENT
    assert path.stat().st_mode & 0o777 == 0o600
    assert path.parent.stat().st_mode & 0o777 == 0o700
    assert path.parent == tmp_path / "files"
    assert "passwd" not in file.path
    assert received.failures == []


async def test_attachments_come_in_their_order_and_a_few_at_a_time(inbox: Inbox) -> None:
    contents = {f"k{n}": bytes([n]) * (200_000 - 10_000 * n) for n in range(10)}
    downloader = FakeDownloader(contents, hold=asyncio.Event())
    task = asyncio.create_task(inbox.receive(downloader, *(attach(key) for key in contents)))
    while downloader.at_once < AT_ONCE:  # noqa: ASYNC110  the downloader has no event for it
        await asyncio.sleep(0)
    assert downloader.hold is not None
    downloader.hold.set()
    received = await task
    assert [file.key for file in received.files] == list(contents)
    assert [file.position for file in received.files] == list(range(10))
    assert downloader.most_at_once == AT_ONCE


@pytest.mark.parametrize("limit", ["settings", "source"])
async def test_a_size_above_the_limit_is_refused_before_the_download(inbox: Inbox, limit: str) -> None:
    downloader = FakeDownloader({"a": b"x" * 3000}, most_bytes=MOST if limit == "settings" else 1000)
    received = await inbox.receive(downloader, attach("a", size=2**31, name="big.zip"))
    assert codes(received) == ["file_too_large"]
    assert received.failures[0].params == {"name": "big.zip", "limit_bytes": downloader.most_bytes}
    assert downloader.asked == []
    assert inbox.blobs == []


@pytest.mark.parametrize("claimed", [None, 3000])
async def test_a_file_that_grows_above_the_limit_is_cut_off(inbox: Inbox, claimed: int | None) -> None:
    downloader = FakeDownloader({"a": b"x" * (3 * MOST)})
    received = await inbox.receive(downloader, attach("a", size=claimed))
    assert codes(received) == ["file_too_large"]
    assert inbox.blobs == []


async def test_a_claim_of_gigabytes_within_the_limit_counts_as_what_came(
    database: Database, clock: ManualClock, tmp_path: Path
) -> None:
    receiver = Receiver(database, BlobStore(FileStorage(tmp_path)), clock, 2**32)
    downloader = FakeDownloader({"a": b"x" * 3000}, most_bytes=2**32)
    received = await receiver.receive(ARRIVAL, [attach("a", size=2**31)], downloader, lambda _: None)
    (file,) = received.files or [None]
    assert file is not None
    assert file.size == 3000


async def test_an_empty_file_is_refused(inbox: Inbox) -> None:
    assert codes(await inbox.receive(FakeDownloader({"a": b""}), attach("a", name="empty.pdf"))) == ["file_empty"]
    assert inbox.blobs == []


@pytest.mark.parametrize("sizes", [(100_000, 0), (None, 8 * 2**20)])
async def test_a_full_disk_leaves_nothing_behind(
    database: Database, clock: ManualClock, tmp_path: Path, sizes: tuple[int | None, int]
) -> None:
    claimed, length = sizes
    # As much as is free before the first chunks have filled it.
    rooms = iter([50_000] if claimed else [2**40, 500])
    inbox = Inbox(database, clock, tmp_path, lambda _: next(rooms, 500))
    inbox.receiver = Receiver(
        database, BlobStore(FileStorage(tmp_path), keep_free=1000, free=lambda _: next(rooms)), clock, 2**30
    )
    received = await inbox.receive(FakeDownloader({"a": b"x" * length}), attach("a", size=claimed))
    assert codes(received) == ["file_disk_full"]
    assert inbox.blobs == []


@pytest.mark.parametrize("number", [errno.ENOSPC, errno.EDQUOT])
async def test_a_disk_that_fills_in_the_middle_leaves_nothing_behind(
    inbox: Inbox, number: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(_descriptor: int) -> None:
        raise OSError(number, os.strerror(number))

    monkeypatch.setattr("tgllm.services.files.blobs.os.fsync", refuse)
    received = await inbox.receive(FakeDownloader({"a": CONTENT}), attach("a", name="a.pdf"))
    assert codes(received) == ["file_disk_full"]
    assert received.failures[0].params["name"] == "a.pdf"
    assert inbox.blobs == []


@pytest.mark.parametrize(
    ("error", "code"),
    [
        (Unavailable("Telegram can't be reached"), "file_not_received"),
        (OSError("connection reset"), "file_not_received"),
        (FileUnreadable("gone", code="file_gone"), "file_gone"),
    ],
)
async def test_a_failed_download_is_a_value_beside_the_others(inbox: Inbox, error: Exception, code: str) -> None:
    downloader = FakeDownloader({"a": CONTENT, "b": b"fine"}, errors={"a": error})
    received = await inbox.receive(downloader, attach("a", name="a.pdf"), attach("b"))
    assert codes(received) == [code]
    assert received.failures[0].params["name"] == "a.pdf"
    assert [file.key for file in received.files] == ["b"]
    assert inbox.blobs == [b"fine"]


async def test_a_failed_download_of_a_file_without_a_name_says_what_it_is(inbox: Inbox) -> None:
    downloader = FakeDownloader(errors={"a": FileUnreadable("gone", code="file_gone", name="", status=404)})
    received = await inbox.receive(downloader, attach("a", kind="photo"))
    assert received.failures[0].params == {"name": "photo.jpg", "status": 404}


async def test_equal_contents_are_kept_once(inbox: Inbox) -> None:
    downloader = FakeDownloader({"a": CONTENT, "b": CONTENT, "c": CONTENT})
    one = await inbox.receive(downloader, attach("a", name="one"), attach("b", name="two"))
    two = await inbox.receive(downloader, attach("c"), arrival=replace(ARRIVAL, turn_id="u2"))
    assert len({file.path for file in (*one.files, *two.files)}) == 1
    assert [file.original_name for file in one.files] == ["one", "two"]
    assert inbox.blobs == [CONTENT]


async def test_what_is_there_already_is_not_downloaded_again(inbox: Inbox) -> None:
    downloader = FakeDownloader({"a": CONTENT})
    first = await inbox.receive(downloader, attach("a", name="old"))
    second = await inbox.receive(downloader, attach("a", name="new"), arrival=replace(ARRIVAL, turn_id="u2"))
    same = await inbox.receive(downloader, attach("a"), attach("a"), arrival=replace(ARRIVAL, turn_id="u3"))
    assert downloader.asked == ["a"]
    assert [file.original_name for file in second.files] == ["new"]
    assert len(same.files) == 2
    assert {file.path for file in (*second.files, *same.files)} == {first.files[0].path}


async def test_a_repeated_turn_goes_on_with_what_it_has(inbox: Inbox, database: Database) -> None:
    broken = FakeDownloader({"a": CONTENT, "b": b"half"}, errors={"b": Unavailable("cut")})
    await inbox.receive(broken, attach("a"), attach("b"))
    again = FakeDownloader({"a": CONTENT, "b": b"whole"})
    received = await inbox.receive(again, attach("a"), attach("b"))
    assert again.asked == ["b"]
    assert [file.key for file in received.files] == ["a", "b"]
    assert len(await database.read(lambda conn: files.of_turn(conn, "u1"))) == 2


async def test_a_blob_that_was_removed_is_downloaded_for_all_that_had_it(inbox: Inbox, tmp_path: Path) -> None:
    downloader = FakeDownloader({"a": CONTENT})
    (old,) = (await inbox.receive(downloader, attach("a"))).files
    (tmp_path / old.path).unlink()
    (new,) = (await inbox.receive(downloader, attach("a"), arrival=replace(ARRIVAL, turn_id="u2"))).files
    assert downloader.asked == ["a", "a"]
    found = await inbox.database.read(lambda conn: files.get(conn, old.id))
    assert found is not None
    assert found.path == new.path
    assert (tmp_path / new.path).read_bytes() == CONTENT


async def test_a_cancelled_download_leaves_nothing_behind(inbox: Inbox) -> None:
    downloader = FakeDownloader({"a": CONTENT, "b": CONTENT * 2}, hold=asyncio.Event())
    task = asyncio.create_task(inbox.receive(downloader, attach("a"), attach("b")))
    while downloader.at_once < 2:  # noqa: ASYNC110  the downloader has no event for it
        await asyncio.sleep(0)
    assert inbox.begun == ["file", "file"]
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert inbox.blobs == []


class Resuming:
    """Breaks off once, and can't resume."""

    most_bytes = MOST

    def __init__(self) -> None:
        self.sizes: list[int] = []

    async def download(self, attachment: Attachment, target: Download) -> None:
        await target.write(b"x" * 300_000)
        self.sizes.append(target.size)
        await target.restart()
        self.sizes.append(target.size)
        await target.write(b"y" * 10)


async def test_a_download_that_begins_again_drops_what_it_had(inbox: Inbox) -> None:
    source = Resuming()
    received = await inbox.receiver.receive(ARRIVAL, [attach("a")], source, lambda _: None)
    assert source.sizes == [300_000, 0]
    assert inbox.blobs == [b"y" * 10]
    assert received.files[0].sha256 == hashlib.sha256(b"y" * 10).hexdigest()
