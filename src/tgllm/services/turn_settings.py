"""Settings of the operator for turns and for reading files, from the config."""

from pathlib import Path

from tgllm.config.model import Config
from tgllm.i18n import Catalogue
from tgllm.services.conversations.settings import TurnSettings
from tgllm.services.files.storage.store import FileStorage
from tgllm.services.models.fallbacks import Fallbacks
from tgllm.services.reading.values import PoolSettings
from tgllm.services.usage.accounting import Accounting

__all__ = ["pool_settings", "turn_settings"]


def turn_settings(config: Config, texts: Catalogue, accounting: Accounting, storage: FileStorage) -> TurnSettings:
    """Return the settings for all turns."""
    return TurnSettings(
        config.default_model,
        config.system_prompt,
        config.turns.context_tokens,
        config.turns.idle_timeout,
        wait_seconds=config.turns.wait_timeout,
        most_chars=config.turns.max_answer,
        personas=config.personas,
        summaries=config.turns.summary,
        most_context_tokens=config.turns.most_context_tokens,
        file_share=config.files.context_share,
        texts=texts,
        accounting=accounting,
        storage=storage,
        fallbacks=Fallbacks.of_config(config),
    )


def pool_settings(config: Config, folder: Path | None) -> PoolSettings:
    """Return the settings for reading files.

    Args:
        config: the settings.
        folder: see ``PoolSettings``.
    """
    files = config.files
    return PoolSettings(
        picture_seconds=files.read_timeout,
        picture_memory_bytes=files.read_memory_mb * 2**20,
        folder=folder,
    )
