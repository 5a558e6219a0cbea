"""Unexpected errors for Sentry.

An event is made of the facts of the error alone, so it holds no variables, no arguments of the program and no message
of a person. Sentry's client has no integrations and is no global one: what else happens in the process is not sent.
"""

import asyncio
from collections.abc import Callable, Mapping
from contextlib import suppress
from typing import TYPE_CHECKING, Any, Final, cast

import tgllm
from tgllm.api import Check
from tgllm.api.clock import Clock
from tgllm.config.sections.errors import ErrorsSection
from tgllm.observe.errors import ErrorFacts
from tgllm.observe.installation import install_command
from tgllm.observe.logs import get_logger
from tgllm.observe.redaction import redacted_texts
from tgllm.services.common.recent_keys import RecentKeys
from tgllm.services.errors.reports import Level

if TYPE_CHECKING:
    from sentry_sdk import Client
    from sentry_sdk.types import Event, Hint

__all__ = ["Sentry", "check_sentry", "open_sentry"]

log = get_logger(__name__)

PACKAGE: Final = "tgllm[sentry]"
QUIET_SECONDS: Final = 60.0
"""Minimum interval of events of one kind; the database counts all of them."""
CLOSE_SECONDS: Final = 2.0
"""Time to send what waits at the shutdown."""
MOST_KINDS: Final = 1_000
_MOST_TAG: Final = 200
"""Maximum length of a tag's value. Sentry: Tags."""


class Sentry:
    """Sends errors on a thread of Sentry's client; what can't be sent is dropped."""

    def __init__(self, client: "Client", clock: Clock, versions: Callable[[], Mapping[str, str]]) -> None:
        """Create the sender.

        Args:
            client: a client of ``sentry_sdk``.
            clock: limits the number of events.
            versions: returns the versions of the plugins by id.
        """
        self._client = client
        self._versions = versions
        self._sent: RecentKeys[str] = RecentKeys(clock, QUIET_SECONDS, MOST_KINDS)

    def send(self, facts: ErrorFacts, version: str, level: Level = "error") -> None:
        """Queue an event, unless one of the same kind was sent within the last minute."""
        if facts.code in self._sent:
            return
        self._sent.note(facts.code)
        self._client.capture_event(cast("Event", self._event(facts, version, level)))

    async def aclose(self) -> None:
        """Send what waits, within a time limit."""
        with suppress(TimeoutError):
            async with asyncio.timeout(2 * CLOSE_SECONDS):
                # It blocks until the events are sent or the time is over.
                await asyncio.to_thread(self._client.close, CLOSE_SECONDS)

    def _event(self, facts: ErrorFacts, version: str, level: Level) -> dict[str, Any]:
        tags = {"error_id": facts.code, "event": facts.event, "place": facts.place}
        if facts.plugin is not None:
            tags |= {"plugin": facts.plugin, "plugin_version": version}
        tags |= {f"plugin.{plugin}"[:32]: version for plugin, version in self._versions().items()}
        frames = [
            {
                "filename": frame.path,
                "module": frame.module,
                "function": frame.function,
                "lineno": frame.line,
                "in_app": frame.module.partition(".")[0].startswith("tgllm"),
            }
            for frame in facts.frames
        ]
        value: dict[str, Any] = {"type": facts.kind, "value": facts.message}
        if frames:
            value["stacktrace"] = {"frames": frames}
        return {
            "level": level,
            "platform": "python",
            "logger": facts.event,
            "transaction": facts.event,
            "fingerprint": [facts.code],
            "exception": {"values": [value]},
            "tags": {name: text[:_MOST_TAG] for name, text in tags.items() if text},
            "extra": {"causes": list(facts.causes)} if facts.causes else {},
        }


def open_sentry(settings: ErrorsSection, clock: Clock, versions: Callable[[], Mapping[str, str]]) -> Sentry | None:
    """Return the sender of errors; None without a DSN, or if the client is not installed, which is logged."""
    if settings.sentry_dsn is None:
        return None
    if not _is_installed():
        log.warning("sentry.not_installed", mend_with=install_command(PACKAGE))
        return None
    from sentry_sdk import Client  # noqa: PLC0415  few bots use it

    # Without these options the client adds variables, source lines, log lines, arguments, the list of packages and the
    # name of the machine to events.
    client = Client(
        dsn=settings.sentry_dsn.get_secret_value(),
        release=f"tgllm@{tgllm.__version__}",
        environment=settings.environment,
        default_integrations=False,
        auto_enabling_integrations=False,
        integrations=[],
        include_local_variables=False,
        include_source_context=False,
        max_breadcrumbs=0,
        max_request_body_size="never",
        send_client_reports=False,
        auto_session_tracking=False,
        server_name="",
        shutdown_timeout=CLOSE_SECONDS,
        before_send=_scrubbed,
    )
    log.info("sentry.ready", environment=settings.environment)
    return Sentry(client, clock, versions)


def check_sentry(settings: ErrorsSection) -> Check | None:
    """Return the check for ``tgllm doctor``; None if Sentry is not used. Nothing is sent."""
    if settings.sentry_dsn is None:
        return None
    if not _is_installed():
        return Check(
            "Sentry", "failed", f"SENTRY_DSN is set, but Sentry's client is missing: {install_command(PACKAGE)}"
        )
    return Check("Sentry", "ok", f"environment {settings.environment}")


def _is_installed() -> bool:
    try:
        import sentry_sdk  # noqa: F401, PLC0415  # pyright: ignore[reportUnusedImport]  only whether it is there
    except ImportError:
        return False
    return True


def _scrubbed(event: "Event", _hint: "Hint") -> "Event":
    return cast("Event", redacted_texts(event))
