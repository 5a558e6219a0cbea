"""Plugins and their states."""

from tgllm.bot.admin.paging import split_page, turn_pages
from tgllm.bot.admin.screen import Screen
from tgllm.bot.admin.table import AdminCall, AdminCommand
from tgllm.bot.admin.words import error_line, home_button, joined
from tgllm.bot.ui.keyboards import page_of
from tgllm.plugins.loading.records import PluginRecord

__all__ = ["plugins_rows"]

NAME = "plugins"
MOST_NOTE = 300
"""Most UTF-16 units of what a plugin provides, or of its error."""
_SIGNS = {"active": "✅", "disabled": "⏸"}
_TROUBLE = "⚠️"


def plugins_rows() -> tuple[AdminCommand, ...]:
    """Return the row for the admin table."""
    return (AdminCommand(NAME, _plugins, menu=True),)


async def _plugins(call: AdminCall) -> Screen:
    """Show a page of the plugins, inactive ones first."""
    records = sorted(call.core.host.records, key=lambda record: (record.state == "active", record.id))
    page = page_of(records, split_page(call.argument)[1])
    lines = [_line(call, record) for record in page.items]
    return Screen(joined(call.text("admin.plugins.title"), lines), [*turn_pages(page, NAME), home_button(call)])


def _line(call: AdminCall, record: PluginRecord) -> str:
    note = error_line(record.reason or ", ".join(record.provides), MOST_NOTE)
    state = call.text(f"admin.plugins.state_{record.state}")
    head = f"{_SIGNS.get(record.state, _TROUBLE)} {record.id} {record.version} ({state})"
    return f"{head}: {note}" if note else head
