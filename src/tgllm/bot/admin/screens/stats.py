"""Usage statistics: total, by model and by user."""

from collections.abc import Iterator, Sequence

from tgllm.api import ModelRef
from tgllm.bot.admin.paging import split_page, turn_pages
from tgllm.bot.admin.screen import Screen, admin_button
from tgllm.bot.admin.table import AdminCall, AdminCommand
from tgllm.bot.admin.words import home_button, joined, person
from tgllm.bot.ui.keyboards import Button, page_of
from tgllm.bot.ui.usage_words import bar, grouped, unpriced_note, usage_line
from tgllm.db.engine.unit import Connection
from tgllm.db.queries.statistics import DayTotal
from tgllm.db.tables import users
from tgllm.db.tables.usage import NO_USER
from tgllm.services.common.text import one_line
from tgllm.services.usage.statistics import (
    SPANS,
    Latency,
    Share,
    Span,
    Statistics,
    models_of,
    people_of,
    statistics_of,
)

__all__ = ["stats_rows"]

NAME = "stats"
MODELS, PEOPLE = "models", "people"
MOST_NAME = 80
"""Most UTF-16 units of a model's name."""

_Named = tuple[str, Share[ModelRef] | Share[int]]


def stats_rows() -> tuple[AdminCommand, ...]:
    """Return the rows for the admin table."""
    days = "|".join(map(str, SPANS))
    return (AdminCommand(NAME, _stats, usage=f"[{MODELS}|{PEOPLE} [{days}]]", menu=True),)


async def _stats(call: AdminCall) -> Screen:
    rest, number = split_page(call.argument)
    words = rest.casefold().split()
    days = next((span for span in SPANS if str(span) in words), SPANS[-1])
    kind = next((kind for kind in (MODELS, PEOPLE) if kind in words), None)
    return await _all(call) if kind is None else await _shares(call, kind, days, number)


async def _all(call: AdminCall) -> Screen:
    core = call.core
    found, models = await call.scope.read(
        lambda conn: (statistics_of(conn, call.now, core.days), models_of(conn, call.now, core.days, SPANS[-1]))
    )
    blocks = [_span_lines(call, span) for span in found.spans]
    text = joined(_head(call, found), *blocks, _unpriced(call, models), _chart(call, found.days))
    return Screen(text, [*(_choices(call, kind) for kind in (MODELS, PEOPLE)), home_button(call)])


def _head(call: AdminCall, found: Statistics) -> Iterator[str]:
    yield call.text("admin.stats.title", zone=call.scope.config.time_zone)
    counts = {status: found.people.get(status, 0) for status in ("active", "pending", "denied", "blocked")}
    yield call.text("admin.stats.people", **counts)


def _span_lines(call: AdminCall, span: Span) -> Iterator[str]:
    yield usage_line(call.text, call.text(f"admin.stats.days_{span.days}"), span.total)
    if span.total.requests or span.errors:
        asked = call.text("admin.stats.asked", people=span.people)
        yield f"{asked} {call.text('admin.stats.errors', errors=span.errors)}"
    if span.latency is not None:
        yield _latency_line(call, span.latency)


def _latency_line(call: AdminCall, latency: Latency) -> str:
    return call.text("admin.stats.latency", median=f"{latency.median / 1000:.1f}", slow=f"{latency.slow / 1000:.1f}")


def _unpriced(call: AdminCall, models: Sequence[Share[ModelRef]]) -> Sequence[str]:
    return unpriced_note(call.text, ((share.name, share.total) for share in models))


def _chart(call: AdminCall, days: Sequence[DayTotal]) -> Iterator[str]:
    yield call.text("admin.stats.chart")
    most = max(day.requests for day in days)
    for day in days:
        yield f"{day.day[5:]} {bar(day.requests, most)} {grouped(day.requests)}"


def _choices(call: AdminCall, kind: str) -> Sequence[Button]:
    """Return buttons to the shares of models or users, one for each number of days."""
    return [
        admin_button(
            call.text(f"admin.stats.button_{kind}", days=call.text(f"admin.stats.days_{span}")), NAME, f"{kind} {span}"
        )
        for span in SPANS
    ]


async def _shares(call: AdminCall, kind: str, days: int, number: int) -> Screen:
    core = call.core

    def read(conn: Connection) -> tuple[Sequence[_Named], Sequence[Share[ModelRef]]]:
        models = models_of(conn, call.now, core.days, days)
        if kind == MODELS:
            return [(one_line(str(share.name), MOST_NAME), share) for share in models], models
        people = people_of(conn, call.now, core.days, days)
        return [(_name(call, conn, share.name), share) for share in people], models

    shares, models = await call.scope.read(read)
    page = page_of(shares, number)
    blocks = [_share_lines(call, share, shares) for share in page.items]
    title = call.text(f"admin.stats.by_{kind}", days=call.text(f"admin.stats.days_{days}"))
    back = [admin_button(call.text("admin.stats.back"), NAME)]
    text = (
        joined(title, *blocks, _unpriced(call, models)) if blocks else joined(title, call.text("admin.stats.nothing"))
    )
    return Screen(text, [_choices(call, kind), *turn_pages(page, NAME, f"{kind} {days}"), back])


def _share_lines(call: AdminCall, named: _Named, shares: Sequence[_Named]) -> Iterator[str]:
    """Yield a bar of the share in costs, or in tokens if nothing has a price, then its details."""
    name, share = named
    by = 0 if any(other.weight[0] for _, other in shares) else 1
    whole = sum(other.weight[by] for _, other in shares)
    yield f"{bar(share.weight[by], whole)} {usage_line(call.text, name, share.total)}"
    if share.errors:
        yield call.text("admin.stats.errors", errors=share.errors)
    if share.latency is not None:
        yield _latency_line(call, share.latency)


def _name(call: AdminCall, conn: Connection, user_id: int) -> str:
    if user_id == NO_USER:
        return call.text("admin.stats.shell")
    user = users.get(conn, user_id)
    return str(user_id) if user is None else person(user)
