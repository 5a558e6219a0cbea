"""The figures of the bot: all together, by model and by person."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from tgllm.api import ModelRef
from tgllm.bot.admin.paging import split_page, turn_pages
from tgllm.bot.admin.screen import Screen, admin_button
from tgllm.bot.admin.table import AdminCall, AdminCommand
from tgllm.bot.admin.words import home_button, joined, person
from tgllm.bot.keyboards import Button, page_of
from tgllm.bot.usage_words import bar, grouped, usage_line
from tgllm.db import statistics
from tgllm.db.statistics import DayTotal
from tgllm.db.unit import Connection
from tgllm.db.usage import NOBODY, Total, UserTotal
from tgllm.db.users import User
from tgllm.services.statistics import SPANS, Span, Statistics, people_since, since, statistics_of
from tgllm.services.text import clip

__all__ = ["stats_rows"]

NAME = "stats"
MODELS, PEOPLE = "models", "people"
MOST_NAME = 80
"""UTF-16 units of a model's name."""


def stats_rows() -> tuple[AdminCommand, ...]:
    """The rows for the admin table."""
    days = "|".join(map(str, SPANS))
    return (AdminCommand(NAME, _stats, usage=f"[{MODELS}|{PEOPLE} [{days}]]", menu=True),)


async def _stats(call: AdminCall) -> Screen:
    rest, number = split_page(call.argument)
    words = rest.casefold().split()
    days = next((span for span in SPANS if str(span) in words), SPANS[-1])
    kind = next((kind for kind in (MODELS, PEOPLE) if kind in words), None)
    return await _all(call) if kind is None else await _shares(call, kind, days, number)


async def _all(call: AdminCall) -> Screen:
    core = call.scope.parts.core
    found = await core.database.read(lambda conn: statistics_of(conn, call.now, core.days))
    blocks = [_span_lines(call, span) for span in found.spans]
    text = joined(_head(call, found), *blocks, _chart(call, found.days))
    return Screen(text, [*(_choices(call, kind) for kind in (MODELS, PEOPLE)), home_button(call)])


def _head(call: AdminCall, found: Statistics) -> Iterator[str]:
    yield call.text("admin.stats.title", zone=call.scope.parts.core.config.time_zone)
    counts = {status: found.people.get(status, 0) for status in ("active", "pending", "denied", "blocked")}
    yield call.text("admin.stats.people", **counts)


def _span_lines(call: AdminCall, span: Span) -> Iterator[str]:
    yield usage_line(call.text, call.text(f"admin.stats.days_{span.days}"), span.total)
    if span.total.requests or span.errors:
        yield call.text("admin.stats.span", people=span.people, errors=span.errors)
    if span.latency is not None:
        seconds = {"median": f"{span.latency.median / 1000:.1f}", "slow": f"{span.latency.slow / 1000:.1f}"}
        yield call.text("admin.stats.latency", **seconds)


def _chart(call: AdminCall, days: Sequence[DayTotal]) -> Iterator[str]:
    yield call.text("admin.stats.chart")
    most = max(day.requests for day in days)
    for day in days:
        yield f"{day.day[5:]} {bar(day.requests, most)} {grouped(day.requests)}"


def _choices(call: AdminCall, kind: str) -> Sequence[Button]:
    """Buttons that lead to the shares of models or people, for each number of days."""
    return [
        admin_button(
            call.text(f"admin.stats.button_{kind}", days=call.text(f"admin.stats.days_{span}")), NAME, f"{kind} {span}"
        )
        for span in SPANS
    ]


@dataclass(frozen=True, slots=True)
class _Share:
    name: str
    total: Total

    @property
    def weight(self) -> tuple[int, int]:
        """Money, and tokens where nothing has a price."""
        return self.total.cost_micros, self.total.input_tokens + self.total.output_tokens


async def _shares(call: AdminCall, kind: str, days: int, number: int) -> Screen:
    core = call.scope.parts.core
    day = since(call.now, core.days, days)

    def read(conn: Connection) -> Sequence[_Share]:
        if kind == MODELS:
            models = statistics.by_model(conn, day)
            return [_Share(clip(str(ModelRef(total.provider, total.model)), MOST_NAME), total) for total in models]
        return [_Share(_name(call, total, user), total) for total, user in people_since(conn, day)]

    shares = sorted(await core.database.read(read), key=lambda share: share.weight, reverse=True)
    page = page_of(shares, number)
    by = 0 if any(share.weight[0] for share in shares) else 1
    whole = sum(share.weight[by] for share in shares)
    lines = [f"{bar(share.weight[by], whole)} {usage_line(call.text, share.name, share.total)}" for share in page.items]
    title = call.text(f"admin.stats.by_{kind}", days=call.text(f"admin.stats.days_{days}"))
    back = [admin_button(call.text("admin.stats.back"), NAME)]
    text = joined(title, lines or call.text("admin.stats.nothing"))
    return Screen(text, [_choices(call, kind), *turn_pages(page, NAME, f"{kind} {days}"), back])


def _name(call: AdminCall, total: UserTotal, user: User | None) -> str:
    if total.user_id == NOBODY:
        return call.text("admin.stats.shell")
    return str(total.user_id) if user is None else person(user)
