"""The web server of a bot: /healthz, /readyz and /metrics."""

import asyncio
from collections.abc import AsyncGenerator, Callable, Generator, Mapping
from contextlib import ExitStack, asynccontextmanager, contextmanager
from http import HTTPStatus
from typing import TYPE_CHECKING

from tgllm.api.clock import Clock
from tgllm.config.model import Config
from tgllm.db.database import Database
from tgllm.db.engine.writer import Operation, timed_transactions
from tgllm.observe.installation import install_command
from tgllm.observe.logs import get_logger
from tgllm.observe.metrics.instruments import collecting
from tgllm.observe.metrics.table import ALL, DATABASE_SECONDS, DATABASE_WAIT
from tgllm.plugins.host import PluginHost
from tgllm.web.answers import Answer
from tgllm.web.health import BotState, Health, ReplicaState, WebhookState
from tgllm.web.sampling import Sampler
from tgllm.web.server import Route, serving
from tgllm.web.shared import Shared

if TYPE_CHECKING:
    from tgllm.web.exporter import Exporter

__all__ = ["Web", "open_web"]

log = get_logger(__name__)

_PACKAGE = "tgllm[metrics]"
SCRAPE_SECONDS = 1.0
"""How long metrics are used again, so that many requests don't hold up the bot."""


class Web:
    """The open web server, and what it watches of the bot, which opens after it and closes before it."""

    def __init__(self, state: BotState, sampler: Sampler, port: int) -> None:
        self.port = port
        self._state = state
        self._sampler = sampler

    @contextmanager
    def watching(self, database: Database, host: PluginHost) -> Generator[None]:
        """Watch the database and the plugins while the block runs."""
        self._state.database = self._sampler.database = database
        self._sampler.host = host
        try:
            yield
        finally:
            self._state.database = self._sampler.database = None

    def watch_polls(self, seconds_since_poll: Callable[[], float | None]) -> None:
        """Watch the polls of the bot: the seconds since the last success, None before the first one."""
        self._state.seconds_since_poll = seconds_since_poll

    def watch_webhook(self, webhook: WebhookState | None) -> None:
        """Watch the webhook, if there is one, instead of the polls."""
        self._state.webhook = webhook

    def watch_replica(self, replica: ReplicaState | None) -> None:
        """Watch the bot as one of several replicas, if it is one."""
        self._state.replica = replica

    def watch_loop(self, lag: Callable[[], float], seconds_asking: Callable[[], float] = lambda: 0.0) -> None:
        """Watch how late the event loop runs calls, in seconds, and how long the present getUpdates has lasted."""
        self._state.loop_lag, self._state.seconds_asking = lag, seconds_asking


@asynccontextmanager
async def open_web(config: Config, clock: Clock, stopping: Callable[[], bool]) -> AsyncGenerator[Web]:
    """Serve while the block runs.

    Args:
        config: the settings; ``web.port`` is set.
        clock: source of time.
        stopping: whether a shutdown was requested.

    Raises:
        ConfigError: the address or the port can't be used.
    """
    state, sampler = BotState(), Sampler(clock, config.backups_folder if config.database.url is None else None)
    health = Health(state, clock, config.sending.poll_timeout, stopping)
    routes: dict[str, Route] = {"/healthz": health.live, "/readyz": health.ready}
    with ExitStack() as stack:
        if config.web.metrics:
            exporter = _exporter()
            routes["/metrics"] = _Scrapes(exporter, sampler, clock).answer if exporter else _not_installed
            if exporter:
                stack.enter_context(collecting(ALL))
                stack.enter_context(timed_transactions(_DatabaseTimings()))
        async with serving(config.web.host, config.web.port or 0, routes) as port:
            log.info("web.ready", host=config.web.host, port=port, paths=[*routes])
            yield Web(state, sampler, port)


def _exporter() -> "Exporter | None":
    try:
        from tgllm.web.exporter import Exporter  # noqa: PLC0415  an extra
    except ImportError:
        exporter = None
    else:
        exporter = Exporter(ALL)
    if exporter is None:
        log.warning("metrics.not_installed", hint=f"Install it with: {install_command(_PACKAGE)}")
    return exporter


async def _not_installed(_headers: Mapping[str, str]) -> Answer:
    text = f"prometheus_client is not installed: {install_command(_PACKAGE)}\n"
    return Answer(text, HTTPStatus.SERVICE_UNAVAILABLE)


class _DatabaseTimings:
    """Durations of transactions, as metrics."""

    def waited(self, seconds: float, operation: Operation) -> None:
        DATABASE_WAIT.observe(seconds, operation)

    def took(self, seconds: float, operation: Operation) -> None:
        DATABASE_SECONDS.observe(seconds, operation)


class _Scrapes:
    """Answers to /metrics; several at a time share one reading of the values."""

    def __init__(self, exporter: "Exporter", sampler: Sampler, clock: Clock) -> None:
        self._exporter = exporter
        self._sampler = sampler
        self._openmetrics = Shared(lambda: self._scrape(openmetrics=True), clock, SCRAPE_SECONDS)
        self._text = Shared(lambda: self._scrape(openmetrics=False), clock, SCRAPE_SECONDS)

    async def answer(self, headers: Mapping[str, str]) -> Answer:
        """Answer with all metrics, in one of two formats."""
        is_open = "application/openmetrics-text" in headers.get("Accept", "")
        return await (self._openmetrics if is_open else self._text).get()

    async def _scrape(self, *, openmetrics: bool) -> Answer:
        await self._sampler.sample()
        return await asyncio.to_thread(self._exporter.encode, openmetrics=openmetrics)
