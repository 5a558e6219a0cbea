"""Which uses of a row are dangerous only sometimes."""

from collections.abc import Awaitable, Callable
from contextlib import suppress

from tgllm.bot.admin.table import AdminCall
from tgllm.db.engine.unit import Connection
from tgllm.services.people.decisions import AccessError
from tgllm.services.people.search import find_person

__all__ = ["about_admin"]


def about_admin(least_words: int) -> Callable[[AdminCall], Awaitable[bool]]:
    """Whether an argument of at least so many words is about an admin; of somebody unknown nothing can be decided."""

    async def ask(call: AdminCall) -> bool:
        words = call.argument.split()
        if len(words) < least_words:
            return False

        def read(conn: Connection) -> bool:
            with suppress(AccessError):
                return find_person(conn, words[0]).role == "admin"
            return False

        return await call.scope.parts.core.database.read(read)

    return ask
