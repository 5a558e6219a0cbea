"""Log, metric and status for the service manager of the times in which the disk can't be used."""

from typing import Final, get_args

from tgllm.api.clock import Clock
from tgllm.db.database import Database
from tgllm.db.engine.gate import Obstacle, StorageState
from tgllm.observe.logs import get_logger
from tgllm.observe.metrics.table import STORAGE
from tgllm.observe.service_manager import service_manager

__all__ = ["log_storage"]

log = get_logger(__name__)

_CAUSES: Final = tuple(state for state in get_args(StorageState) if state != "ok")


def log_storage(database: Database, clock: Clock) -> None:
    """Log from now on when units of work begin to wait for the disk, and when all are stored."""

    def closed(obstacle: Obstacle) -> None:
        STORAGE.replace({(cause,): cause == obstacle.state for cause in _CAUSES})
        log.error("storage.closed", code=obstacle.code, reason=obstacle.words)
        service_manager().status(f"waiting for the database: {obstacle.state.replace('_', ' ')}")

    def opened(obstacle: Obstacle) -> None:
        STORAGE.replace({(cause,): 0 for cause in _CAUSES})
        log.info("storage.open", after=obstacle.code, seconds=round(clock.monotonic() - obstacle.since, 1))
        service_manager().status("receiving messages")

    STORAGE.replace({(cause,): 0 for cause in _CAUSES})
    database.gate.listen(closed, opened)
