"""Checks of a database server: version, distance, room for connections, soundness, and the replicas that use it."""

from collections.abc import Iterator, Sequence
from typing import Final

from tgllm.api import Check, DatabaseError
from tgllm.api.clock import Clock
from tgllm.config.model import Config
from tgllm.database_place import database_place
from tgllm.db.engine.driver import require_driver
from tgllm.db.engine.place import Server
from tgllm.i18n import Catalogue

__all__ = ["check_server"]

SLOW_SECONDS: Final = 0.02
"""Time of a question and its answer from which there is a warning: a turn has some twenty of them."""


def check_server(config: Config, clock: Clock, texts: Catalogue) -> Sequence[Check]:
    """Return the checks of the server; none where the database is a file. Blocks, for seconds if it is large."""
    place = database_place(config)
    if not isinstance(place, Server):
        return ()
    try:
        require_driver()
        return tuple(_checks(place, clock, texts))
    except DatabaseError as error:
        return (Check("Database server", "failed", str(error)),)


def _checks(server: Server, clock: Clock, texts: Catalogue) -> Iterator[Check]:
    from tgllm.db.postgres.check import CONNECTIONS, check, facts  # noqa: PLC0415  imports psycopg, which few bots need

    found, report = facts(server, clock), check(server)
    ms = f"{found.seconds * 1000:.1f}"
    if found.seconds > SLOW_SECONDS:
        yield Check("Database server", "warning", texts("doctor.server_slow", version=found.server_version, ms=ms))
    else:
        yield Check("Database server", "ok", texts("doctor.server_answers", version=found.server_version, ms=ms))
    size = f"{report.size / 2**20:.1f}"
    words = " ".join(report.problems) or texts("doctor.database_sound", version=report.version, size=size)
    yield Check("Database integrity", "failed" if report.problems else "ok", words)
    few = found.free_connections < CONNECTIONS
    yield Check(
        "Database connections",
        "warning" if few else "ok",
        texts(
            "doctor.server_connections_few" if few else "doctor.server_connections",
            free=found.free_connections,
            needed=CONNECTIONS,
        ),
    )
    if found.bots:
        yield Check("Bot", "ok", texts("doctor.bots_running", number=found.bots))
    else:
        yield Check("Bot", "ok", texts("doctor.bot_stopped"))
