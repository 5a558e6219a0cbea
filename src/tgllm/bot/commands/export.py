"""The command ``/export``: sends the conversation of a chat as files."""

import asyncio
from datetime import UTC, datetime

from tgllm.bot.delivery.files import document_payload
from tgllm.bot.delivery.rows import document_row
from tgllm.bot.scope import Scope
from tgllm.bot.ui.command_table import ParsedCommand, TableCommand
from tgllm.i18n import Catalogue
from tgllm.services.personal_data.conversation import Exported, as_json, as_markdown, load_export
from tgllm.services.personal_data.export_files import write_exports

__all__ = ["export_commands"]


def export_commands(texts: Catalogue) -> tuple[TableCommand, ...]:
    """Return the rows for the command table."""
    return (TableCommand("export", lambda language: texts("command.export", language), "user", _export),)


async def _export(scope: Scope, _command: ParsedCommand) -> None:
    now = scope.now
    exported = await scope.read(lambda conn: load_export(conn, scope.lane.key, now))
    if exported is None:
        await scope.reply(scope.text("export.nothing"))
        return
    markdown, data = await asyncio.to_thread(
        lambda: write_exports(scope.config.data_dir, _texts(scope, exported), scope.clock.now())
    )
    name = datetime.fromtimestamp(scope.clock.now(), UTC).strftime("conversation-%Y%m%d-%H%M%S")
    caption = scope.text("export.ready", count=len(exported.messages))
    payloads = document_payload(markdown, f"{name}.md", caption), document_payload(data, f"{name}.json")
    await scope.end(replies=[document_row(scope.lane, payload) for payload in payloads])


def _texts(scope: Scope, exported: Exported) -> tuple[str, str]:
    return as_markdown(exported, scope.text), as_json(exported)
