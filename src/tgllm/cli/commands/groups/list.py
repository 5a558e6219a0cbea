"""Implementation of ``tgllm groups list``."""

from collections.abc import Sequence

from tgllm.cli.failure import tell_text
from tgllm.cli.options import Options
from tgllm.cli.output import print_json, print_table
from tgllm.cli.stored import look_at
from tgllm.cli.words import moment, shown_title
from tgllm.db.tables import groups
from tgllm.db.tables.groups import Group, GroupStatus
from tgllm.services.common.times import iso_time

__all__ = ["run_list"]

COLUMNS = ("Id", "Title", "Status", "Asked (UTC)", "Asked by", "Decided (UTC)")


def run_list(options: Options, status: GroupStatus | None, *, as_json: bool) -> None:
    """Print all groups, or those with one status."""
    found = [
        group for group in look_at(options, groups.list_all, list[Group]()) if status is None or group.status == status
    ]
    if as_json:
        print_json([_object(group) for group in found])
    elif found:
        print_table(COLUMNS, (_row(group) for group in found))
    if not found:
        tell_text("shell.groups_none" if status is None else "shell.groups_none_of", status=status)


def _row(group: Group) -> Sequence[str]:
    return (
        str(group.id),
        shown_title(group),
        group.status,
        moment(group.requested_at),
        "-" if group.requested_by is None else str(group.requested_by),
        moment(group.decided_at),
    )


def _object(group: Group) -> dict[str, object]:
    """Return the JSON object of a group; times are ISO 8601 in UTC."""
    return {
        "id": group.id,
        "title": group.title,
        "status": group.status,
        "requested_at": iso_time(group.requested_at),
        "requested_by": group.requested_by,
        "decided_at": iso_time(group.decided_at),
        "decided_by": group.decided_by,
    }
