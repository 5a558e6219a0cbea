"""Implementation of ``tgllm users approve``, ``deny``, ``block`` and ``role``."""

import asyncio
from collections.abc import Callable

from tgllm.cli.options import Options
from tgllm.cli.people import People, open_people
from tgllm.cli.words import moment, person_name
from tgllm.db.engine.unit import Connection
from tgllm.db.tables.users import Role
from tgllm.i18n import Catalogue
from tgllm.services.common.actor import SHELL
from tgllm.services.people.decisions import Decided, Verdict

__all__ = ["run_decide", "run_role"]


def run_decide(options: Options, person: str, verdict: Verdict) -> str:
    """Decide about a user's access; return a sentence about the new state.

    Raises:
        TgllmError: the user is unknown, or the decision is not possible.
    """

    def decide(people: People, conn: Connection) -> Decided:
        return people.users.decide_in(conn, people.find(conn, person).id, verdict, SHELL)

    texts, decided = asyncio.run(_change(options, decide))
    name, until = person_name(decided.user), moment(decided.user.expires_at)
    return _said(texts, texts(f"shell.user_did_{verdict}", person=name, until=until), decided)


def run_role(options: Options, person: str, role: Role) -> str:
    """Set a user's role; return a sentence about the new state.

    Raises:
        TgllmError: the user is unknown, or the change is not possible.
    """

    def set_role(people: People, conn: Connection) -> Decided:
        return people.users.set_role_in(conn, people.find(conn, person).id, role, SHELL)

    texts, decided = asyncio.run(_change(options, set_role))
    return _said(texts, texts("shell.user_role", person=person_name(decided.user), role=decided.user.role), decided)


async def _change(options: Options, change: Callable[[People, Connection], Decided]) -> tuple[Catalogue, Decided]:
    """Apply a change in one transaction; a running bot notices it and notifies the user."""
    async with open_people(options) as people:
        return people.texts, await people.database.write(lambda conn: change(people, conn))


def _said(texts: Catalogue, now: str, decided: Decided) -> str:
    return now if decided.changed else f"{now} {texts('shell.user_unchanged')}"
