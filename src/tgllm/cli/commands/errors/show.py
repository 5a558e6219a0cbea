"""Implementation of ``tgllm errors``."""

from collections.abc import Sequence

from tgllm.api.errors import TgllmError
from tgllm.cli.failure import tell_text
from tgllm.cli.options import Options
from tgllm.cli.output import print_json, print_table, say
from tgllm.cli.stored import look_at
from tgllm.cli.words import moment
from tgllm.db.engine.unit import Connection
from tgllm.db.tables import errors
from tgllm.db.tables.errors import ErrorPlace, ErrorRow
from tgllm.observe.errors import read_code, with_kind
from tgllm.services.common.text import one_line
from tgllm.services.common.times import iso_time

__all__ = ["run_list", "run_show"]

COLUMNS = ("Code", "Last (UTC)", "Times", "Plugin", "Event", "Error", "At")
MOST_ERROR = 300
"""Maximum length of an error in the table, in UTF-16 units."""
MOST_PLACES = 20
"""Turns and updates that are listed."""


def run_list(options: Options, limit: int, *, as_json: bool) -> None:
    """Print the kinds of errors that occurred last.

    Raises:
        ConfigError: a setting is invalid.
        DatabaseError: the database can't be read.
    """
    rows = look_at(options, lambda conn: errors.recent(conn, limit), list[ErrorRow]())
    if as_json:
        print_json([_object(row) for row in rows])
    elif rows:
        print_table(COLUMNS, (_row(row) for row in rows))
    if not rows:
        tell_text("shell.errors_none")


def run_show(options: Options, text: str, *, as_json: bool) -> None:
    """Print one kind of error.

    Raises:
        ConfigError: a setting is invalid.
        DatabaseError: the database can't be read.
        TgllmError: there is none with that code.
    """
    code = read_code(text)

    def query(conn: Connection) -> tuple[ErrorRow | None, Sequence[ErrorPlace]]:
        if code is None:
            return None, ()
        return errors.get(conn, code), errors.places(conn, code, MOST_PLACES)

    row, places = look_at(options, query, (None, list[ErrorPlace]()))
    if row is None:
        from tgllm.i18n import Catalogue  # noqa: PLC0415  only for a code that is not known

        raise TgllmError(Catalogue()("shell.error_unknown", code=one_line(text, 40)))
    if as_json:
        print_json(_object(row) | {"places": [_place(place) for place in places]})
        return
    say(row.id, bold=True)
    say(with_kind(row.kind, row.message))
    say(f"{row.plugin or 'tgllm'} {row.version}: {row.event}{f' ({row.place})' if row.place else ''}")
    say(f"{row.times} x, {moment(row.first_at)} - {moment(row.last_at)} UTC")
    for line in row.trace:
        say(f"  {line}")
    for place in places:
        say(f"{moment(place.at)} {place.kind}={place.ref}")


def _row(row: ErrorRow) -> Sequence[str]:
    error = one_line(with_kind(row.kind, row.message), MOST_ERROR)
    return row.id, moment(row.last_at), str(row.times), row.plugin or "-", row.event, error, row.place or "-"


def _object(row: ErrorRow) -> dict[str, object]:
    """Return the JSON object of a kind; times are ISO 8601 in UTC."""
    return {
        "id": row.id,
        "event": row.event,
        "kind": row.kind,
        "message": row.message,
        "place": row.place,
        "trace": list(row.trace),
        "plugin": row.plugin,
        "version": row.version,
        "times": row.times,
        "first_at": iso_time(row.first_at),
        "last_at": iso_time(row.last_at),
        "announced_at": iso_time(row.announced_at),
    }


def _place(place: ErrorPlace) -> dict[str, object]:
    return {"kind": place.kind, "id": place.ref, "at": iso_time(place.at)}
