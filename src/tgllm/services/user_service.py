"""Who may use the bot: the rules for people, with no Telegram in them."""

from collections.abc import Callable

from tgllm.api import Role, UserInfo
from tgllm.api.clock import Clock, milliseconds
from tgllm.db import users
from tgllm.db.database import Database
from tgllm.db.unit import Connection
from tgllm.db.users import SeenUser, User
from tgllm.i18n import Catalogue
from tgllm.services import access_decisions
from tgllm.services.access_decisions import AccessError, Decided, Verdict
from tgllm.services.access_news import tell_role, tell_verdict
from tgllm.services.actor import Actor
from tgllm.services.language import chosen_language
from tgllm.services.running import RunningTurns

__all__ = ["AccessError", "Actor", "Decided", "UserService", "Verdict", "full_name"]


def full_name(person: SeenUser | User) -> str:
    """First and last name, as Telegram shows them; the id of somebody named in the config who never wrote."""
    return f"{person.first_name} {person.last_name or ''}".strip() or str(person.id)


class UserService:
    """Looks people up, keeps what is known of them, and carries out decisions on them.

    Methods that take a connection are for use within a larger transaction; call ``enforce`` after its commit.
    """

    def __init__(self, database: Database, clock: Clock, texts: Catalogue, running: RunningTurns | None = None) -> None:
        """Work on that database; nothing is cached, so a change made elsewhere counts at once.

        Args:
            database: with the people.
            clock: the time.
            texts: the words in which people are told.
            running: the turns of this program, if it runs any: those of people who are kept out are stopped.
        """
        self._database = database
        self._clock = clock
        self._texts = texts
        self._running = running
        self._added: Callable[[], None] = lambda: None

    def on_added(self, wake: Callable[[], None]) -> None:
        """Have ``wake`` called when messages wait in the outbox."""
        self._added = wake

    async def ensure_owners(self, admin_ids: tuple[int, ...]) -> None:
        """Make the people named in the config active owners."""
        now = milliseconds(self._clock)
        await self._database.write(lambda conn: users.ensure_owners(conn, admin_ids, now))

    async def identify(self, person: SeenUser) -> UserInfo:
        """Who that is to the bot. Somebody who has not been let in has no role."""
        row, language = await self._database.read(
            lambda conn: (users.get(conn, person.id), chosen_language(conn, person.id))
        )
        may_use = row is not None and row.may_use(milliseconds(self._clock))
        return UserInfo(
            id=person.id,
            name=full_name(person),
            role=row.role if row is not None and may_use else None,
            username=person.username,
            language=language or person.language_code or "",
        )

    def register_request(self, conn: Connection, person: SeenUser) -> bool:
        """Note that somebody unknown wants in; part of a larger transaction. Never changes a decision.

        Returns:
            Whether this is the person's first request.
        """
        now = milliseconds(self._clock)
        users.upsert_seen(conn, person, now)
        return users.register_pending(conn, person.id, now)

    async def decide(self, user_id: int, verdict: Verdict, actor: Actor, *, only_pending: bool = False) -> Decided:
        """Let somebody in, or keep them out, and tell them; see ``decide_in``.

        Raises:
            AccessError: nobody of that id is known, or the actor may not decide about them.
            DatabaseError: it can't be stored.
        """
        return self.enforce(
            await self._database.write(
                lambda conn: self.decide_in(conn, user_id, verdict, actor, only_pending=only_pending)
            )
        )

    async def set_role(self, user_id: int, role: Role, actor: Actor) -> User:
        """Say what somebody who has been let in may do, and tell them.

        Raises:
            AccessError: see ``access_decisions.set_role``.
            DatabaseError: it can't be stored.
        """
        return self.enforce(await self._database.write(lambda conn: self.set_role_in(conn, user_id, role, actor))).user

    async def toggle(self, user_id: int, actor: Actor) -> User:
        """Block somebody who may use the bot, and let anybody else in.

        Raises:
            AccessError: nobody of that id is known, or the actor may not decide about them.
            DatabaseError: it can't be stored.
        """
        return self.enforce(await self._database.write(lambda conn: self.toggle_in(conn, user_id, actor))).user

    def decide_in(
        self, conn: Connection, user_id: int, verdict: Verdict, actor: Actor, *, only_pending: bool = False
    ) -> Decided:
        """``decide`` as part of a transaction.

        Args:
            conn: an open write transaction.
            user_id: about whom.
            verdict: what is decided.
            actor: who decides.
            only_pending: let an earlier decision stand: the first of several admins wins.

        Raises:
            AccessError: nobody of that id is known, or the actor may not decide about them.
        """
        now = milliseconds(self._clock)
        decided = access_decisions.decide(conn, user_id, verdict, actor, now, only_pending=only_pending)
        if decided.changed:
            tell_verdict(conn, self._texts, decided.user, verdict, now)
        return decided

    def set_role_in(self, conn: Connection, user_id: int, role: Role, actor: Actor) -> Decided:
        """``set_role`` as part of a transaction."""
        now = milliseconds(self._clock)
        decided = access_decisions.set_role(conn, user_id, role, actor, now)
        if decided.changed:
            tell_role(conn, self._texts, decided.user, now)
        return decided

    def toggle_in(self, conn: Connection, user_id: int, actor: Actor) -> Decided:
        """``toggle`` as part of a transaction."""
        may_use = access_decisions.known(conn, user_id).may_use(milliseconds(self._clock))
        return self.decide_in(conn, user_id, "block" if may_use else "approve", actor)

    def enforce(self, decided: Decided) -> Decided:
        """What follows the commit of a decision: messages go out, and turns of somebody who is kept out are stopped."""
        if not decided.user.may_use(milliseconds(self._clock)) and self._running is not None:
            self._running.stop_user(decided.user.id)
        self._added()
        return decided
