"""Files in S3-compatible storage, on a small server; see also test_s3_server.py."""

import asyncio
import uuid
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest

from file_storage.fake_s3 import FakeS3, Stored, running_s3
from tgllm.api import ConfigError, FileDelta, FileUnreadable
from tgllm.config.model import Config
from tgllm.config.sections.s3 import S3Section
from tgllm.db.database import Database
from tgllm.db.tables import files
from tgllm.db.tables.files import NewFile
from tgllm.services.files.blobs import BlobStore
from tgllm.services.files.made import keep_made
from tgllm.services.files.storage.copies import USED_SECONDS, tidy_copies
from tgllm.services.files.storage.opening import check_at_start, storage_of
from tgllm.services.files.storage.remote import StorageUnavailable
from tgllm.services.files.storage.store import FileStorage
from tgllm.services.files.sweep import sweep_blobs, sweep_remote_exports

NOW = 2_000_000_000.0
DAY = 86_400.0


@pytest.fixture
def s3(monkeypatch: pytest.MonkeyPatch) -> Iterator[FakeS3]:
    # The pauses between the attempts of boto3 are seconds.
    monkeypatch.setattr("botocore.retries.standard.ExponentialBackoff.delay_amount", lambda *_: 0)
    with running_s3() as running:
        yield running


@pytest.fixture
async def storage(s3: FakeS3, tmp_path: Path) -> AsyncIterator[FileStorage]:
    storage = opened(s3, tmp_path / "one")
    yield storage
    await storage.aclose()


@pytest.fixture
async def other(s3: FakeS3, tmp_path: Path) -> AsyncIterator[FileStorage]:
    """The storage as another machine sees it, whose data folder is elsewhere."""
    storage = opened(s3, tmp_path / "two")
    yield storage
    await storage.aclose()


def opened(s3: FakeS3, folder: Path, **settings: object) -> FileStorage:
    return storage_of(Config(data_dir=folder, s3=S3Section.model_validate(s3.settings | settings)))


def written(storage: FileStorage, content: bytes = b"content", folder: str = "files") -> str:
    path = f"{folder}/{uuid.uuid4().hex}"
    storage.path(path).parent.mkdir(parents=True, exist_ok=True)
    storage.path(path).write_bytes(content)
    return path


async def row_of(database: Database, path: str) -> None:
    new = NewFile(path=path, mime="a/b", size=7, sha256="a" * 64, original_name=None, user_id=None)
    await database.write(lambda conn: files.add(conn, new, 1))


async def test_a_file_is_fetched_where_it_was_not_written(storage: FileStorage, other: FileStorage, s3: FakeS3) -> None:
    path = written(storage)
    await storage.put(path)
    assert [*s3.objects] == [f"bots/one/{path}"]
    found = await asyncio.gather(*(other.fetch(path, 7) for _ in range(5)))
    assert {each and each.read_bytes() for each in found} == {b"content"}
    assert s3.calls.count(f"GET bots/one/{path}") == 1
    assert other.path(path).stat().st_mode & 0o077 == 0
    # A file that waits to be sent has the path of the machine that wrote it.
    export = written(storage, folder="files/exports")
    await storage.put(storage.path(export))
    assert await other.fetch(storage.path(export).absolute()) == storage.path(export)
    storage.path(export).unlink()
    assert await other.fetch(storage.path(export).absolute()) == other.path(export)


async def test_what_is_not_there_is_no_error(other: FileStorage, s3: FakeS3) -> None:
    assert await other.fetch(f"files/{uuid.uuid4().hex}") is None
    assert not await other.is_stored(f"files/{uuid.uuid4().hex}")
    calls = len(s3.calls)
    assert await other.fetch("plugins/secret") is None
    assert len(s3.calls) == calls


async def test_a_damaged_file_is_fetched_again_and_never_kept(
    storage: FileStorage, other: FileStorage, s3: FakeS3
) -> None:
    path = written(storage)
    await storage.put(path)
    s3.objects[f"bots/one/{path}"].content = b"damaged"
    with pytest.raises(StorageUnavailable, match="damaged"):
        await other.fetch(path)
    assert s3.calls.count(f"GET bots/one/{path}") == 3
    assert [*other.path("files").iterdir()] == []


async def test_a_fetch_without_an_answer_is_repeated_by_boto3_alone(
    storage: FileStorage, other: FileStorage, s3: FakeS3
) -> None:
    path = written(storage)
    await storage.put(path)
    s3.failures["GET"] = [(503, "SlowDown")] * 4
    with pytest.raises(StorageUnavailable, match="SlowDown"):
        await other.fetch(path)
    assert s3.calls.count(f"GET bots/one/{path}") == 3


async def test_an_upload_is_repeated_and_then_fails_without_a_file_left(storage: FileStorage, s3: FakeS3) -> None:
    s3.failures["PUT"] = [(503, "SlowDown")]
    await storage.put(written(storage))
    s3.failures["PUT"] = [(503, "SlowDown")] * 3
    path = written(storage)
    with pytest.raises(FileUnreadable) as failed:
        await BlobStore(storage).store(path, "a.txt")
    assert (failed.value.code, failed.value.params["name"]) == ("file_storage_away", "a.txt")
    assert not storage.path(path).exists()


async def test_a_file_of_an_answer_is_counted_as_lost_while_s3_is_away(storage: FileStorage, s3: FakeS3) -> None:
    s3.failures["PUT"] = [(500, "InternalError")] * 3
    made, lost = await keep_made([FileDelta(b"a", "a/b", None), FileDelta(b"b", "a/b", None)], storage)
    assert (len(made), lost) == (1, 1)


async def test_a_removed_file_goes_with_what_is_derived(storage: FileStorage, s3: FakeS3) -> None:
    path = written(storage)
    derived = f"{path}.page-1"
    storage.path(derived).write_bytes(b"x")
    await storage.put(path, derived)
    s3.objects["bots/two/other"] = Stored(b"x")
    await storage.remove([path])
    assert [*s3.objects] == ["bots/two/other"]
    assert [*storage.path("files").iterdir()] == []


async def test_a_removal_that_fails_is_left_to_the_sweep(storage: FileStorage, s3: FakeS3, database: Database) -> None:
    path = written(storage)
    await storage.put(path)
    s3.failures["GET"] = [(503, "SlowDown")] * 3
    await storage.remove([path])
    assert len(s3.objects) == 1
    assert await sweep_blobs(database, storage, NOW + 2 * DAY) == 1
    assert not s3.objects


async def test_the_sweep_reads_all_pages_and_spares_what_is_young_or_used(
    storage: FileStorage, s3: FakeS3, database: Database
) -> None:
    names = [uuid.uuid4().hex for _ in range(7)]
    for name in names:
        s3.objects[f"bots/one/files/{name}"] = Stored(b"x", modified=NOW)
    young = f"bots/one/files/{uuid.uuid4().hex}"
    s3.objects |= {young: Stored(b"x", modified=NOW + DAY), "bots/one/files/of-the-operator": Stored(b"x")}
    s3.objects[f"bots/one/files/exports/{names[0]}"] = Stored(b"x", modified=NOW)
    await row_of(database, f"files/{names[0]}")
    assert await sweep_blobs(database, storage, NOW + DAY + 1) == 6
    await sweep_remote_exports(storage, NOW + DAY + 1)
    assert set(s3.objects) == {f"bots/one/files/{names[0]}", young, "bots/one/files/of-the-operator"}


async def test_copies_go_when_their_rows_are_gone_or_the_oldest_above_the_limit(
    storage: FileStorage, database: Database
) -> None:
    kept, oldest, gone = (written(storage) for _ in range(3))
    for path in (oldest, kept):
        await row_of(database, path)
    later = storage.path(kept).stat().st_mtime + 1
    await storage.fetch(kept)
    assert await tidy_copies(database, storage, 10, later) == 0
    assert await tidy_copies(database, storage, 1000, later + USED_SECONDS) == 1
    assert not storage.path(gone).exists()
    storage.path(oldest).touch()
    assert await tidy_copies(database, storage, 7, later + 2 * USED_SECONDS) == 1
    assert len([*storage.path("files").iterdir()]) == 1


@pytest.mark.parametrize(
    ("status", "code", "words"),
    [
        (403, "SignatureDoesNotMatch", "check s3.access_key and s3.secret_key"),
        (403, "InvalidAccessKeyId", "check s3.access_key and s3.secret_key"),
        (403, "AccessDenied", "may read, write, list and delete"),
        (404, "NoSuchBucket", "has no bucket files: create it"),
        (403, "RequestTimeTooSkewed", "set its clock"),
    ],
)
async def test_a_refusal_says_what_to_do_and_names_no_key(
    storage: FileStorage, s3: FakeS3, status: int, code: str, words: str
) -> None:
    s3.failures["PUT"] = [(status, code)]
    with pytest.raises(ConfigError) as refused:
        await check_at_start(storage, 7)
    assert words in str(refused.value)
    assert "secret-key" not in str(refused.value)
    assert "the-access-key" not in str(refused.value)


async def test_a_storage_of_another_bot_is_refused(storage: FileStorage, other: FileStorage) -> None:
    await storage.check(7)
    await check_at_start(storage, 8)
    await other.check(8)
    with pytest.raises(ConfigError, match=r"another bot.*s3\.prefix"):
        await check_at_start(other, 7)


async def test_the_bot_starts_while_s3_gives_no_answer(storage: FileStorage, s3: FakeS3) -> None:
    s3.failures["PUT"] = [(503, "SlowDown")] * 3
    await check_at_start(storage, 7)
    assert not s3.objects


@pytest.mark.parametrize(
    ("setting", "value"),
    [
        ("bucket", "Not A Bucket"),
        ("endpoint", "s3.example.org"),
        ("endpoint", "https://key:secret@s3.example.org"),
        ("prefix", "../up"),
        ("secret_key", None),
    ],
)
def test_settings_that_can_not_work_are_refused(s3: FakeS3, setting: str, value: object) -> None:
    with pytest.raises(ValueError, match=r"must be|belong together"):
        S3Section.model_validate(s3.settings | {setting: value})
