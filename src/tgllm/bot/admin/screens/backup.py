"""``/admin backup``: backs up the database and the files on the server."""

from collections.abc import Iterator

from tgllm.api import DatabaseError
from tgllm.bot.admin.screen import Screen
from tgllm.bot.admin.table import AdminCall, AdminCommand, Result
from tgllm.db.engine.unit import Connection
from tgllm.db.tables import audit
from tgllm.observe.logs import get_logger
from tgllm.services.backups.making import Made
from tgllm.services.backups.service import failure_text

__all__ = ["backup_rows"]

log = get_logger(__name__)


def backup_rows() -> Iterator[AdminCommand]:
    """Yield the row for the admin table."""
    yield AdminCommand("backup", _make, dangerous=True, menu=True)


async def _make(call: AdminCall) -> Result:
    backups = call.core.backups
    if backups is None:
        return Screen(call.text("admin.backup.server"), separate=True)
    await call.begin(call.text("admin.backup.begun"))
    try:
        made = await backups.make()
    except DatabaseError as error:
        # An error of the copy: the bot's own database is unaffected, so the program need not end.
        log.error("backup.failed", error=str(error))
        return Screen(failure_text(call.core.texts, call.scope.language, error), separate=True)
    return lambda conn: _made(conn, call, made, backups.keep)


def _made(conn: Connection, call: AdminCall, made: Made, kept: int) -> Screen:
    details = {"bytes": made.size, "files": made.files}
    entry = audit.NewEntry(
        actor_id=call.user.id, source="telegram", action="backup.make", target=made.path.name, details=details
    )
    audit.add(conn, entry, call.now)
    text = call.text("admin.backup.made", path=made.path, size=_size(made.size), count=kept)
    if made.files or made.left_out:
        text += " " + call.text("admin.backup.files", count=made.files)
    return Screen(text, separate=True)


def _size(size: int) -> str:
    """Return a size in bytes in a readable unit."""
    return f"{size / 2**20:.1f} MiB" if size >= 2**20 else f"{-(-size // 2**10)} KiB"
