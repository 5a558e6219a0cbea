"""Asks for the admin password before a dangerous admin command runs."""

from collections.abc import Awaitable, Callable
from contextlib import suppress

from tgllm.bot.admin.password_answer import locked_text
from tgllm.bot.admin.screen import Screen
from tgllm.bot.admin.table import AdminCall, AdminCommand, Result
from tgllm.db.engine.unit import Connection
from tgllm.services.admin_password.questions import Question
from tgllm.services.admin_password.tries import tries_of
from tgllm.services.people.decisions import AccessError
from tgllm.services.people.search import find_person

__all__ = ["about_admin", "ask_password"]


async def ask_password(row: AdminCommand, call: AdminCall) -> Result | None:
    """Return the password prompt, or None to run the command without it.

    A correct answer runs the command as a text: see ``tgllm.bot.middlewares.password``.
    """
    password = call.core.password
    if password.is_open(call.user.id):
        return None
    if call.scope.chat.id != call.user.id:
        password.questions.expect_elsewhere(call.user.id, call.now + password.question_life)
        return Screen(call.text("password.in_private"), separate=True)
    line = f"{row.name} {call.argument}".rstrip()

    def ask(conn: Connection) -> Screen:
        tries = tries_of(conn, call.user.id)
        if tries.is_locked(call.now):
            return Screen(locked_text(call.scope, tries), separate=True)
        question = Question(call.scope.row.update_id, call.now + password.question_life, line)
        password.questions.ask(conn, call.user.id, question, call.now)
        return Screen(call.text("password.ask", time=call.scope.duration(password.question_life / 1000)), separate=True)

    return ask


def about_admin(least_words: int) -> Callable[[AdminCall], Awaitable[bool]]:
    """Return a function for ``AdminCommand.dangerous``: an argument of at least so many words is about an admin.

    The first word names the user; an unknown user is not an admin.
    """

    async def ask(call: AdminCall) -> bool:
        words = call.argument.split()
        if len(words) < least_words:
            return False

        def read(conn: Connection) -> bool:
            with suppress(AccessError):
                return find_person(conn, words[0]).role == "admin"
            return False

        return await call.read(read)

    return ask
