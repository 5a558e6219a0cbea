"""Texts of notices about errors."""

from collections.abc import Sequence
from datetime import datetime, tzinfo
from typing import Final

from tgllm.db.tables.errors import ErrorRow
from tgllm.i18n import Catalogue
from tgllm.services.common.text import one_line
from tgllm.services.errors.origins import Origin, Origins

__all__ = ["ErrorTexts"]

_MOST_MESSAGE: Final = 300
"""Maximum length of a message in a notice, in UTF-16 units."""
_TRACE_LINES: Final = 6
_MOST_LINE: Final = 160
_LISTED: Final = 10
"""Kinds of errors in a summary."""


class ErrorTexts:
    """Texts about errors, in the language of the reader."""

    def __init__(self, texts: Catalogue, origins: Origins, zone: tzinfo) -> None:
        """Write times in the time zone of the bot."""
        self._texts = texts
        self.origins = origins
        self._zone = zone

    def first(self, row: ErrorRow, language: str) -> str:
        """Return the notice of an error of a new kind, with the end of its trace."""
        trace = [one_line(line, _MOST_LINE) for line in row.trace[-_TRACE_LINES:]]
        blocks = (
            f"{self._head(row, language)}\n{one_line(row.message, _MOST_MESSAGE)}".strip(),
            "\n".join(trace),
            self.report(row, language),
            self._texts("errors.more", language, code=row.id),
        )
        return "\n\n".join(block for block in blocks if block)

    def again(self, row: ErrorRow, language: str) -> str:
        """Return the notice that errors of a known kind have occurred again."""
        blocks = (self._again_line(row, language), self._texts("errors.more", language, code=row.id))
        return "\n\n".join(blocks)

    def summary(self, rows: Sequence[ErrorRow], language: str) -> str:
        """Return the notice about several kinds, those that occurred most often first."""
        ordered = sorted(rows, key=lambda row: (row.announced_times - row.times, row.id))
        lines = [f"• {row.id}  {self._short(row, language)}" for row in ordered[:_LISTED]]
        if len(ordered) > _LISTED:
            lines.append(self._texts("errors.others", language, count=len(ordered) - _LISTED))
        times = sum(row.times - row.announced_times for row in rows)
        title = self._texts("errors.summary", language, count=len(rows), times=times)
        return "\n\n".join((title, "\n".join(lines), self._texts("errors.all", language)))

    def button(self, language: str, *, is_one: bool) -> str:
        """Return the label of the button below a notice."""
        return self._texts("errors.button" if is_one else "errors.button_all", language)

    def report(self, row: ErrorRow, language: str) -> str:
        """Return the line that says where to report an error."""
        origin = self.origins.of(row.plugin)
        values = _named(origin) | {"url": origin.url}
        if not origin.is_plugin:
            if origin.url:
                return self._texts("errors.report_core", language, **values)
            return self._texts("errors.report_core_nowhere", language, **values)
        if origin.url:
            return self._texts("errors.report_plugin", language, **values)
        return self._texts("errors.report_plugin_nowhere", language, **values)

    def _head(self, row: ErrorRow, language: str) -> str:
        origin = self.origins.of(row.plugin)
        if not origin.is_plugin:
            return self._texts("errors.in_core", language, error=_error(row))
        return self._texts("errors.in_plugin", language, **_named(origin), plugin=row.plugin or "", error=_error(row))

    def _again_line(self, row: ErrorRow, language: str) -> str:
        since = row.first_at if row.announced_at is None else row.announced_at
        count = row.times - row.announced_times
        return self._texts("errors.again", language, count=count, since=self._clock_time(since), error=_error(row))

    def _short(self, row: ErrorRow, language: str) -> str:
        times = self._texts("errors.times", language, count=row.times - row.announced_times)
        where = "" if row.plugin is None else f"{row.plugin}: "
        return one_line(f"{where}{_error(row)}, {times}", _MOST_LINE)

    def _clock_time(self, at: int) -> str:
        return f"{datetime.fromtimestamp(at / 1000, self._zone):%Y-%m-%d %H:%M}"


def _error(row: ErrorRow) -> str:
    return one_line(", ".join(part for part in (row.kind, row.place or row.event) if part), _MOST_LINE)


def _named(origin: Origin) -> dict[str, str]:
    return {"package": one_line(origin.name, 60), "version": one_line(origin.version, 40)}
