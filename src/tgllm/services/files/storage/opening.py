"""Opens the storage of files as the settings want it."""

from contextlib import aclosing

from tgllm.api import ConfigError
from tgllm.api.clock import SystemClock
from tgllm.config.model import Config
from tgllm.observe.logs import get_logger
from tgllm.services.files.storage.remote import Remote, StorageRefused, StorageUnavailable
from tgllm.services.files.storage.store import FileStorage

__all__ = ["check_at_start", "storage_of", "try_storage"]

log = get_logger(__name__)


def storage_of(config: Config) -> FileStorage:
    """Return the storage of files; nothing is called yet."""
    return FileStorage(config.data_dir, _remote_of(config), is_shared=config.database.url is not None)


async def check_at_start(storage: FileStorage, bot_id: int | None) -> None:
    """Check that the storage of files can be used; one without an answer is only logged: questions without files work.

    Raises:
        ConfigError: the storage refuses the bot; the message says what to do.
    """
    try:
        await storage.check(bot_id, claims=True)
    except StorageRefused as error:
        raise ConfigError(str(error), code="storage_refused") from error
    except StorageUnavailable as error:
        log.warning("files.storage_away", error=str(error))


async def try_storage(config: Config) -> None:
    """Store and remove a file in the storage that the settings name; the data folder alone is not checked.

    Raises:
        StorageUnavailable: it can't be used; the message says what to do.
    """
    async with aclosing(storage_of(config)) as storage:
        await storage.check(config.bot_id)


def _remote_of(config: Config) -> Remote | None:
    if config.s3.bucket is None:
        return None
    from tgllm.services.files.storage.s3 import S3Storage  # noqa: PLC0415  most bots have none

    return S3Storage(config.s3, SystemClock())
