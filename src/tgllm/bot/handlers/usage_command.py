"""The command ``/usage``: what a person has used."""

from collections.abc import Iterator

from tgllm.api import ModelRef
from tgllm.api.clock import milliseconds
from tgllm.bot.commands import ParsedCommand, TableCommand
from tgllm.bot.scope import UpdateScope
from tgllm.bot.usage_words import usage_line
from tgllm.i18n import Catalogue
from tgllm.services.text import clip
from tgllm.services.usage_report import UsageReport, usage_report

__all__ = ["usage_commands"]

MOST_MODELS = 20
"""Models that are listed; the others are counted."""
MOST_NAME = 100
"""UTF-16 units of a model's name."""


def usage_commands(texts: Catalogue) -> tuple[TableCommand, ...]:
    """The rows for the command table."""
    return (TableCommand("usage", lambda language: texts("command.usage", language), "user", _usage),)


async def _usage(scope: UpdateScope, _command: ParsedCommand) -> None:
    core, user = scope.parts.core, scope.user
    assert user is not None  # noqa: S101  the access middleware has set it
    now = milliseconds(core.clock)
    report = await core.database.read(lambda conn: usage_report(conn, user.id, now, core.days))
    await scope.reply("\n".join(_lines(scope, report)))


def _lines(scope: UpdateScope, report: UsageReport) -> Iterator[str]:
    yield scope.text("usage.title")
    yield ""
    yield usage_line(scope.text, scope.text("usage.today"), report.today)
    yield usage_line(scope.text, scope.text("usage.month"), report.month)
    yield usage_line(scope.text, scope.text("usage.ever"), report.ever)
    if report.models:
        yield ""
        yield scope.text("usage.models")
    for total in report.models[:MOST_MODELS]:
        yield usage_line(scope.text, clip(str(ModelRef(total.provider, total.model)), MOST_NAME), total)
    if len(report.models) > MOST_MODELS:
        yield scope.text("usage.more", count=len(report.models) - MOST_MODELS)
