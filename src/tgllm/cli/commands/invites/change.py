"""Implementation of ``tgllm invites new`` and ``revoke``."""

import asyncio

from tgllm.api.errors import TgllmError
from tgllm.cli.commands.invites.list import invite_object
from tgllm.cli.failure import tell
from tgllm.cli.options import Options
from tgllm.cli.output import print_json, say
from tgllm.cli.people import People, open_people
from tgllm.cli.words import moment
from tgllm.db.engine.unit import Connection
from tgllm.db.tables import invites
from tgllm.services.access.bot_account import known_username
from tgllm.services.access.invitations import NewInvite, link
from tgllm.services.common.actor import SHELL

__all__ = ["run_new", "run_revoke"]

MOST_NUMBER = 2**63 - 1
"""Largest 64-bit integer of the database."""


def run_new(options: Options, uses: int, hours: int, *, as_json: bool) -> None:
    """Create an invite link; standard output has only the link, standard error what it is valid for.

    Raises:
        TgllmError: the bot's username is not known yet, or the numbers are out of range.
    """
    people, username, made = asyncio.run(_new(options, uses, hours))
    url = link(username, made.token)
    if as_json:
        print_json({**invite_object(made.invite), "link": url})
        return
    say(url)
    until = moment(made.invite.expires_at)
    tell(people.texts("shell.invite_made", count=uses, until=until, number=made.invite.id))


def run_revoke(options: Options, number: int) -> str:
    """Revoke a link; return a sentence about its new state.

    Raises:
        TgllmError: there is no such link.
    """
    return asyncio.run(_revoke(options, number))


async def _new(options: Options, uses: int, hours: int) -> tuple[People, str, NewInvite]:
    async with open_people(options) as people:

        def create(conn: Connection) -> tuple[str, NewInvite]:
            username = known_username(conn, people.config.bot_id)
            if username is None:
                raise TgllmError(people.texts("shell.invite_no_username"))
            return username, people.access.invitations.create_in(conn, SHELL, uses, hours)

        return people, *(await people.database.write(create))


async def _revoke(options: Options, number: int) -> str:
    async with open_people(options) as people:

        def revoke(conn: Connection) -> bool:
            if not 0 < number <= MOST_NUMBER or invites.get(conn, number) is None:
                raise TgllmError(people.texts("shell.invite_unknown", number=number))
            return people.access.invitations.revoke_in(conn, SHELL, number)

        revoked = await people.database.write(revoke)
        now = people.texts("shell.invite_revoked", number=number)
        return now if revoked else f"{now} {people.texts('shell.user_unchanged')}"
