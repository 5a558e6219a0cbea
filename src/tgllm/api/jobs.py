"""Jobs that plugins run on a schedule."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from tgllm.api.context import PluginContext

__all__ = ["JobSpec"]


@dataclass(frozen=True, slots=True)
class JobSpec:
    """A job. Runs missed while the bot was down are made up once; it never runs twice at a time."""

    id: str
    title: str
    cron: str
    """Five fields, in the time zone of the bot."""
    run: Callable[["PluginContext"], Awaitable[None]]
    timeout: float = 600.0
    """In seconds."""
