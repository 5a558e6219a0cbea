"""Plugins and their states, and who has blocked the bot."""

from collections.abc import Iterator, Sequence

from tgllm.bot.admin.paging import split_page, turn_pages
from tgllm.bot.admin.screen import Screen
from tgllm.bot.admin.table import AdminCall, AdminCommand
from tgllm.bot.admin.words import error_line, home_button, joined, moment
from tgllm.bot.ui.keyboards import page_of
from tgllm.i18n.durations import short_duration
from tgllm.plugins.holds.log import Hold
from tgllm.plugins.holds.owners import CORE
from tgllm.plugins.loading.records import PluginRecord

__all__ = ["plugins_rows"]

NAME = "plugins"
MOST_NOTE = 300
"""Most UTF-16 units of what a plugin provides, or of its error."""
MOST_PLACE = 80
"""Most UTF-16 units of the name of a function or a file."""
_SIGNS = {"active": "✅", "disabled": "⏸"}
_TROUBLE = "⚠️"


def plugins_rows() -> tuple[AdminCommand, ...]:
    """Return the row for the admin table."""
    return (AdminCommand(NAME, _plugins, menu=True),)


async def _plugins(call: AdminCall) -> Screen:
    """Show a page of the plugins, first those that are inactive or have blocked the bot."""
    host = call.core.host
    records = sorted(host.records, key=lambda record: (_is_fine(call, record), record.id))
    page = page_of(records, split_page(call.argument)[1])
    lines = [line for record in page.items for line in _lines(call, record)]
    own = _held(call, host.holds.last(CORE))
    return Screen(joined(call.text("admin.plugins.title"), own, lines), [*turn_pages(page, NAME), home_button(call)])


def _is_fine(call: AdminCall, record: PluginRecord) -> bool:
    return record.state == "active" and not record.left_out and call.core.host.holds.last(record.id) is None


def _lines(call: AdminCall, record: PluginRecord) -> Iterator[str]:
    yield _state(call, record)
    yield from _held(call, call.core.host.holds.last(record.id))


def _held(call: AdminCall, hold: Hold | None) -> Sequence[str]:
    if hold is None:
        return ()
    place = hold.place
    values = {
        "duration": short_duration(call.core.texts, hold.seconds, call.scope.language, digits=1),
        "time": moment(call, hold.began * 1000),
        "function": error_line(place.function or "?", MOST_PLACE),
        "at": error_line(place.at or "?", MOST_PLACE),
    }
    is_core = place.plugin_id == CORE
    text = call.text("admin.plugins.held_core", **values) if is_core else call.text("admin.plugins.held", **values)
    return (f"{text} {call.text('admin.plugins.held_times', count=call.core.host.holds.count(place.plugin_id))}",)


def _state(call: AdminCall, record: PluginRecord) -> str:
    note = error_line(record.note or ", ".join(record.provides), MOST_NOTE)
    state = call.text(f"admin.plugins.state_{record.state}")
    sign = _TROUBLE if record.left_out else _SIGNS.get(record.state, _TROUBLE)
    head = f"{sign} {record.id} {record.version} ({state})"
    return f"{head}: {note}" if note else head
