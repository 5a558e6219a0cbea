"""Implementation of ``tgllm groups approve`` and ``deny``."""

import asyncio

from tgllm.api.errors import TgllmError
from tgllm.cli.options import Options
from tgllm.cli.people import People, open_people
from tgllm.cli.words import group_name
from tgllm.db.engine.unit import Connection
from tgllm.db.tables import groups
from tgllm.db.tables.groups import Group
from tgllm.services.access.groups import GroupDecided, GroupVerdict
from tgllm.services.chats.moved_chats import present_id
from tgllm.services.common.actor import SHELL

__all__ = ["run_decide"]

MOST_DIGITS = 18
"""Maximum digits of an id, so that it fits a 64-bit integer of the database."""


def run_decide(options: Options, group: str, verdict: GroupVerdict) -> str:
    """Approve or deny a group; return a sentence about its new state.

    Raises:
        TgllmError: the group is unknown, or several have this title.
    """
    return asyncio.run(_decide(options, group, verdict))


async def _decide(options: Options, text: str, verdict: GroupVerdict) -> str:
    async with open_people(options) as people:

        def decide(conn: Connection) -> GroupDecided:
            return people.access.groups.decide_in(conn, _find(people, conn, text).id, verdict, SHELL)

        decided = await people.database.write(decide)
        name = group_name(decided.group)
        now = (
            people.texts("shell.group_approved", group=name)
            if verdict == "approve"
            else people.texts("shell.group_denied", group=name)
        )
        return now if decided.changed else f"{now} {people.texts('shell.user_unchanged')}"


def _find(people: People, conn: Connection, text: str) -> Group:
    """Return the group with an id, with or without its minus, or with a title.

    Raises:
        TgllmError: none is known, or several have this title.
    """
    number = text.strip().removeprefix("-")
    if number.isascii() and number.isdecimal() and len(number) <= MOST_DIGITS:
        known = groups.get(conn, present_id(conn, -int(number)))
        if known is not None:
            return known
    title = text.strip().casefold()
    called = [group for group in groups.list_all(conn) if title and group.title.strip().casefold() == title]
    if len(called) == 1:
        return called[0]
    if called:
        ids = ", ".join(str(group.id) for group in called)
        raise TgllmError(people.texts("shell.group_several", text=text, ids=ids), code="access_unknown_group")
    raise TgllmError(people.texts("shell.group_unknown", text=text), code="access_unknown_group")
