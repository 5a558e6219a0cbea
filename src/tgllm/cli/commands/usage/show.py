"""Implementation of ``tgllm usage``."""

from collections.abc import Sequence
from typing import Final

from tgllm.api.clock import Clock, SystemClock, milliseconds
from tgllm.cli.commands.models.cells import MICROS
from tgllm.cli.failure import tell_text
from tgllm.cli.options import Options
from tgllm.cli.output import Bars, print_json, print_table
from tgllm.cli.stored import look_with, settings_to_look
from tgllm.cli.words import person_name
from tgllm.config.checks import zone
from tgllm.db.tables.usage import NO_USER, Total
from tgllm.i18n.numbers import dollars
from tgllm.services.common.calendar import Days
from tgllm.services.usage.breakdown import By, UsageBreakdown, UsageRow, usage_breakdown

__all__ = ["run_usage"]

TITLES: Final[dict[By, str]] = {"user": "Person", "model": "Model", "day": "Day"}
COLUMNS: Final = ("Requests", "Tokens read", "Tokens written", "Cost (USD)")


def run_usage(options: Options, by: By, days: int, *, as_json: bool, clock: Clock | None = None) -> None:
    """Print the usage of the last ``days`` days, including today.

    Raises:
        ConfigError: a setting is invalid.
        DatabaseError: the database can't be read.
    """
    settings = settings_to_look(options)
    calendar, now = Days(zone(settings.time_zone)), milliseconds(clock or SystemClock())
    since, today = f"{calendar.begin(now, days - 1):%Y-%m-%d}", calendar.day(now)
    none = UsageBreakdown((), Total(0, 0, 0, 0, 0))
    found = look_with(settings, lambda conn: usage_breakdown(conn, by, since, today), none)
    if as_json:
        print_json(_object(found, by, since, today))
    else:
        _print(found, by, since, settings.language)


def _print(found: UsageBreakdown, by: By, since: str, language: str) -> None:
    if not found.total.requests:
        tell_text("shell.usage_none", language, day=since)
        return
    bars = Bars("Cost" if found.total.cost_micros else "Tokens", found.shares())
    rows = ((_title(row, by), *_cells(row.total)) for row in found.rows)
    print_table((TITLES[by], *COLUMNS), rows, footer=("All", *_cells(found.total)), bars=bars)
    if found.total.unpriced_requests:
        tell_text("shell.usage_unpriced", language, count=found.total.unpriced_requests)


def _title(row: UsageRow, by: By) -> str:
    if row.user is not None:
        return person_name(row.user)
    return "shell" if by == "user" and row.key == str(NO_USER) else row.key


def _cells(total: Total) -> Sequence[str]:
    return (
        f"{total.requests:,}",
        f"{total.input_tokens:,}",
        f"{total.output_tokens:,}",
        dollars(total.cost_micros) if total.cost_micros or not total.unpriced_requests else "-",
    )


def _object(found: UsageBreakdown, by: By, since: str, until: str) -> dict[str, object]:
    rows = [{by: int(row.key) if by == "user" else row.key, **_names(row), **_sums(row.total)} for row in found.rows]
    return {"by": by, "since": since, "until": until, "rows": rows, "total": _sums(found.total)}


def _names(row: UsageRow) -> dict[str, object]:
    return {} if row.user is None else {"username": row.user.username, "role": row.user.role}


def _sums(total: Total) -> dict[str, object]:
    return {
        "requests": total.requests,
        "input_tokens": total.input_tokens,
        "output_tokens": total.output_tokens,
        "cost": total.cost_micros / MICROS,
        "unpriced_requests": total.unpriced_requests,
    }
