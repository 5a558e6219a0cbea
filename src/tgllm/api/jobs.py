"""Scheduled jobs of plugins."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from tgllm.api.context import PluginContext

__all__ = ["JobSpec"]


@dataclass(frozen=True, slots=True)
class JobSpec:
    """A scheduled job. Runs missed while the bot was down are made up once; runs of a job never overlap."""

    id: str
    title: str
    cron: str
    """Five cron fields, in the bot's time zone."""
    run: Callable[["PluginContext"], Awaitable[None]]
    timeout: float = 600.0
    """In seconds."""
