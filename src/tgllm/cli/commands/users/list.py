"""Implementation of ``tgllm users list``."""

from collections.abc import Sequence

from tgllm.cli.failure import tell_text
from tgllm.cli.options import Options
from tgllm.cli.output import print_json, print_table
from tgllm.cli.stored import look_at
from tgllm.cli.words import moment, shown_name
from tgllm.db.tables import users
from tgllm.db.tables.users import Status, User
from tgllm.services.people.fields import person_object

__all__ = ["run_list"]

COLUMNS = ("Id", "Name", "Username", "Role", "Status", "Asked (UTC)", "Until (UTC)")


def run_list(options: Options, status: Status | None, *, as_json: bool) -> None:
    """Print all users, or those with one status."""
    found = look_at(options, lambda conn: users.list_all(conn, status), list[User]())
    if as_json:
        print_json([_object(user) for user in found])
    elif found:
        print_table(COLUMNS, (_row(user) for user in found))
    if not found:
        tell_text("shell.users_none" if status is None else "shell.users_none_of", status=status)


def _row(user: User) -> Sequence[str]:
    return (
        str(user.id),
        shown_name(user),
        f"@{user.username}" if user.username else "-",
        user.role,
        user.status,
        moment(user.requested_at),
        moment(user.expires_at),
    )


def _object(user: User) -> dict[str, object]:
    return {**person_object(user), "decided_by": user.decided_by}
