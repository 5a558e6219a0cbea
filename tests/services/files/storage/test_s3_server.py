"""Files in a real server with the S3 API, which checks signatures."""

import uuid
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import boto3
import pytest

from file_storage.fake_s3 import KEYS
from file_storage.seaweed import running_seaweed
from tgllm.api import ConfigError
from tgllm.config.model import Config
from tgllm.config.sections.s3 import S3Section
from tgllm.db.database import Database
from tgllm.services.files.storage.opening import check_at_start, storage_of
from tgllm.services.files.storage.store import FileStorage
from tgllm.services.files.sweep import sweep_blobs

# Run by `make test-postgres`, which may take what a server needs. The database of these tests is any.
pytestmark = pytest.mark.postgres

NOW = 4_000_000_000.0


@pytest.fixture(scope="module")
def endpoint(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    with running_seaweed(tmp_path_factory.mktemp("seaweed"), KEYS) as address:
        client = boto3.client(
            "s3",
            endpoint_url=address,
            region_name="us-east-1",
            aws_access_key_id=KEYS["access_key"],
            aws_secret_access_key=KEYS["secret_key"],
        )
        client.create_bucket(Bucket="files")
        client.close()
        yield address


@pytest.fixture
async def storage(endpoint: str, tmp_path: Path) -> AsyncIterator[FileStorage]:
    storage = opened(endpoint, tmp_path / "one")
    yield storage
    await storage.aclose()


def opened(endpoint: str, folder: Path, **settings: object) -> FileStorage:
    section = {"bucket": "files", "endpoint": endpoint, "prefix": folder.parent.name, **KEYS, **settings}
    return storage_of(Config(data_dir=folder, s3=S3Section.model_validate(section)))


async def test_a_file_goes_there_and_back_and_away(
    storage: FileStorage, endpoint: str, tmp_path: Path, database: Database
) -> None:
    await check_at_start(storage, 7)
    paths = [f"files/{uuid.uuid4().hex}" for _ in range(3)]
    storage.path("files").mkdir(parents=True)
    for path in paths:
        storage.path(path).write_bytes(path.encode() * 1000)
    await storage.put(*paths)
    other = opened(endpoint, tmp_path / "two")
    try:
        await other.check(7)
        fetched = await other.fetch(paths[0])
        assert fetched is not None
        assert fetched.read_bytes() == storage.path(paths[0]).read_bytes()
        await storage.remove([paths[0]])
        assert [await other.is_stored(path) for path in paths] == [False, True, True]
        assert await other.fetch(f"files/{uuid.uuid4().hex}") is None
        # The copies of one machine, and both originals.
        assert await sweep_blobs(database, storage, NOW) == 2
        assert not await other.is_stored(paths[1])
    finally:
        await other.aclose()


@pytest.mark.parametrize(
    ("settings", "words"),
    [({"secret_key": "a-wrong-secret"}, "check s3.access_key"), ({"bucket": "elsewhere"}, "has no bucket elsewhere")],
)
async def test_a_wrong_setting_ends_the_start_in_words(
    endpoint: str, tmp_path: Path, settings: dict[str, object], words: str
) -> None:
    storage = opened(endpoint, tmp_path / "one", **settings)
    try:
        with pytest.raises(ConfigError) as refused:
            await check_at_start(storage, 7)
    finally:
        await storage.aclose()
    assert words in str(refused.value)
    assert "a-wrong-secret" not in str(refused.value)
