"""Stored models, and their refresh from the providers."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from tgllm.api import ModelRef
from tgllm.bot.admin.paging import as_argument, split_page, turn_pages
from tgllm.bot.admin.screen import Screen, admin_button
from tgllm.bot.admin.table import AdminCall, AdminCommand, Result
from tgllm.bot.admin.words import error_line, home_button, joined, moment
from tgllm.bot.ui.keyboards import MARK, page_of
from tgllm.bot.ui.model_words import model_details, model_name
from tgllm.db.engine.unit import Connection
from tgllm.db.tables import models
from tgllm.db.tables.models import Model
from tgllm.services.common.actor import note
from tgllm.services.models.diff import ProviderReport, SyncReport
from tgllm.services.models.in_use import default_model
from tgllm.services.models.news import news_of
from tgllm.services.models.registry import ProviderStatus

__all__ = ["models_rows"]

LIST, REFRESH = "models", "refresh"
MOST_REASON = 200
"""Most UTF-16 units of the reason why a provider can't be used."""


def models_rows() -> tuple[AdminCommand, ...]:
    """Return the rows for the admin table."""
    return (AdminCommand(LIST, _models, usage="[QUERY]", menu=True), AdminCommand(REFRESH, _refresh, menu=True))


@dataclass(frozen=True, slots=True)
class _Stored:
    models: Sequence[Model]
    default: ModelRef


async def _models(call: AdminCall) -> Screen:
    """Show the providers with their state, and a page of the models whose names match a query."""
    core = call.core
    rest, number = split_page(call.argument)
    query = as_argument(rest)
    statuses, stored = await core.registry.statuses(), await call.scope.read(lambda conn: _stored(call, conn))
    page = page_of([model for model in stored.models if _fits(model, query)], number)
    providers = [_provider(call, status, stored.models) for status in statuses]
    title = call.text("admin.models.title", model=stored.default)
    lines = [_line(call, model, stored.default) for model in page.items]
    buttons = [*turn_pages(page, LIST, query), [admin_button(call.text("admin.refresh.label"), REFRESH)]]
    return Screen(joined(title, providers, lines or call.text("admin.models.none")), [*buttons, home_button(call)])


def _stored(call: AdminCall, conn: Connection) -> _Stored:
    core = call.core
    configured = ModelRef.parse(core.config.default_model)
    return _Stored(models.list_all(conn), default_model(conn, configured, core.registry.canonical))


def _fits(model: Model, query: str) -> bool:
    searched = f"{model.ref} {model.title}".casefold()
    return all(word in searched for word in query.casefold().split())


def _provider(call: AdminCall, status: ProviderStatus, stored: Sequence[Model]) -> str:
    """Return a line on a provider: its number of models, or the reason why it can't be used."""
    if status.state != "ready":
        return call.text("admin.models.locked", provider=status.id, reason=error_line(status.reason, MOST_REASON))
    own = [model for model in stored if model.provider == status.id]
    if not own:
        return call.text("admin.models.unlisted", provider=status.id)
    listed = moment(call, max(model.last_seen_at for model in own))
    return call.text("admin.models.ready", provider=status.id, models=_count(call, len(own)), time=listed)


def _count(call: AdminCall, count: int) -> str:
    return call.text("admin.models.count", count=count)


def _line(call: AdminCall, model: Model, default: ModelRef) -> str:
    core = call.core
    details = model_details(model, core.prices, core.texts, call.scope.language)
    return (MARK if model.ref == default else "") + ": ".join(filter(None, (model_name(model), details)))


async def _refresh(call: AdminCall) -> Result:
    """Refresh the models of all providers, and show what has changed."""
    await call.begin(call.text("admin.refresh.begun"))
    report = await call.core.models.pull_and_sync_models()
    lines = [_outcome(call, provider) for provider in report.providers]
    buttons = [[admin_button(call.text("admin.models.label"), LIST)], home_button(call)]
    shown = Screen(joined(lines, _news(call, report)), buttons)

    def work(conn: Connection) -> Screen:
        note(conn, call.actor, "models.refresh", "models", call.now, dict(_counts(report)))
        return shown

    return work


def _outcome(call: AdminCall, provider: ProviderReport) -> str:
    if provider.state == "ok":
        return call.text("admin.refresh.listed", provider=provider.provider, models=_count(call, provider.listed))
    return call.text("admin.models.locked", provider=provider.provider, reason=error_line(provider.reason, MOST_REASON))


def _news(call: AdminCall, report: SyncReport) -> str:
    core = call.core
    if not report.is_news:
        return call.text("admin.refresh.same")
    return news_of(report, core.texts, core.config.default_model, call.scope.language)


def _counts(report: SyncReport) -> Iterator[tuple[str, int]]:
    yield "listed", sum(provider.listed for provider in report.providers)
    yield "failed", len(report.failed)
