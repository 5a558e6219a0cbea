"""Implementation of ``tgllm invites list``."""

from collections.abc import Sequence

from tgllm.api.clock import SystemClock, milliseconds
from tgllm.cli.failure import tell_text
from tgllm.cli.options import Options
from tgllm.cli.output import print_json, print_table
from tgllm.cli.stored import look_at
from tgllm.cli.words import moment, person_name
from tgllm.db.engine.unit import Connection
from tgllm.db.tables import invites, users
from tgllm.db.tables.invites import Invite
from tgllm.services.common.times import iso_time

__all__ = ["invite_object", "run_list"]

COLUMNS = ("Number", "Left", "People", "Until (UTC)", "Made (UTC)", "Made by")

_Listed = tuple[Invite, str]
"""A link, with the display name of its creator."""


def run_list(options: Options, *, as_json: bool) -> None:
    """Print the valid links."""
    found = look_at(options, _read, list[_Listed]())
    if as_json:
        print_json([invite_object(invite) for invite, _ in found])
    elif found:
        print_table(COLUMNS, (_row(invite, maker) for invite, maker in found))
    if not found:
        tell_text("shell.invites_none")


def invite_object(invite: Invite) -> dict[str, object]:
    """Return the JSON object of a link; times are ISO 8601 in UTC."""
    return {
        "number": invite.id,
        "people": invite.uses,
        "left": invite.uses_left,
        "expires_at": iso_time(invite.expires_at),
        "created_at": iso_time(invite.created_at),
        "created_by": invite.created_by,
    }


def _read(conn: Connection) -> list[_Listed]:
    open_ones = invites.list_open(conn, milliseconds(SystemClock()))
    return [(invite, _maker(conn, invite)) for invite in open_ones]


def _maker(conn: Connection, invite: Invite) -> str:
    if invite.created_by is None:
        return "the shell"
    user = users.get(conn, invite.created_by)
    return str(invite.created_by) if user is None else person_name(user)


def _row(invite: Invite, maker: str) -> Sequence[str]:
    number, left, uses = (str(value) for value in (invite.id, invite.uses_left, invite.uses))
    return (number, left, uses, moment(invite.expires_at), moment(invite.created_at), maker)
