"""Access and roles of people: look-up, decisions, and their notices."""

from tgllm.api import Role, UserInfo
from tgllm.api.clock import Clock, milliseconds
from tgllm.db.database import Database
from tgllm.db.engine.unit import Connection
from tgllm.db.queries import pending_access
from tgllm.db.tables import users
from tgllm.db.tables.users import SeenUser, User
from tgllm.i18n import Catalogue
from tgllm.services.access.card_texts import person_decided
from tgllm.services.access.cards import AccessCards, Subject
from tgllm.services.access.verdicts import tell_declined, tell_role, tell_verdict
from tgllm.services.common.actor import CONFIG, Actor, note
from tgllm.services.people import decisions
from tgllm.services.people.decisions import Decided, Verdict, administrator
from tgllm.services.people.standing import AccessRows, Standing, access_rows, standing_by
from tgllm.services.turns.running import RunningTurns

__all__ = ["UserService"]


class UserService:
    """Looks up people, stores their names, and applies decisions about them.

    Methods with a ``conn`` argument run within a larger transaction; call ``enforce`` after its commit.
    """

    def __init__(
        self,
        database: Database,
        clock: Clock,
        texts: Catalogue,
        cards: AccessCards,
        running: RunningTurns | None = None,
    ) -> None:
        """Create the service. It caches nothing, so changes by other processes apply at once.

        Args:
            database: holds the people.
            clock: source of time.
            texts: texts of the notices.
            cards: admin cards of requests.
            running: running turns of this process; those of people who lose access are stopped.
        """
        self._database = database
        self._clock = clock
        self._texts = texts
        self._cards = cards
        self._running = running

    async def ensure_owners(self, admin_ids: tuple[int, ...]) -> None:
        """Make the people named in the config active owners, and owners who are no longer named ordinary users."""
        now = milliseconds(self._clock)

        def unit(conn: Connection) -> None:
            changes = users.ensure_owners(conn, admin_ids, now)
            roles: dict[int, Role] = dict.fromkeys(changes.added, "owner")
            roles |= dict.fromkeys(changes.removed, "user")
            for user_id, role in roles.items():
                note(conn, CONFIG, "user.role", str(user_id), now, {"role": role})

        await self._database.write(unit)

    async def identify(self, person: SeenUser) -> UserInfo:
        """Return a person as seen in their private chat, and ``remember`` them; without access they have no role."""
        standing = await self.standing(person, person.id)
        await self.remember(standing)
        return standing.user

    async def standing(self, person: SeenUser, chat_id: int, known: AccessRows | None = None) -> Standing:
        """Return the access of a person in a chat; ``known`` is read if it is missing or about another person."""
        if known is None or (known.user_id, known.chat_id) != (person.id, chat_id):
            known = await self._database.read(lambda conn: access_rows(conn, person.id, chat_id))
        return standing_by(known, person, milliseconds(self._clock))

    async def remember(self, standing: Standing) -> None:
        """Store new data of a person with access; call this before their messages are stored."""
        news, now = standing.news, milliseconds(self._clock)
        if news is not None:
            # Without an fsync: if a power failure undoes the write, the next update repeats it.
            await self._database.write(lambda conn: users.upsert_seen(conn, news, now), durable=False)

    async def decide(self, user_id: int, verdict: Verdict, actor: Actor, *, only_pending: bool = False) -> Decided:
        """Approve, deny or block a person, and notify them; see ``decide_in``.

        Raises:
            AccessError: the id is unknown, or the actor may not decide about this person.
            DatabaseError: the decision can't be stored.
        """
        return self.enforce(
            await self._database.write(
                lambda conn: self.decide_in(conn, user_id, verdict, actor, only_pending=only_pending)
            )
        )

    async def set_role(self, user_id: int, role: Role, actor: Actor) -> User:
        """Set the role of an approved person, and notify them.

        Raises:
            AccessError: see ``decisions.set_role``.
            DatabaseError: the role can't be stored.
        """
        return self.enforce(await self._database.write(lambda conn: self.set_role_in(conn, user_id, role, actor))).user

    async def toggle(self, user_id: int, actor: Actor) -> User:
        """Block a person with access, or approve one without.

        Raises:
            AccessError: the id is unknown, or the actor may not decide about this person.
            DatabaseError: the decision can't be stored.
        """
        return self.enforce(await self._database.write(lambda conn: self.toggle_in(conn, user_id, actor))).user

    def decide_in(
        self, conn: Connection, user_id: int, verdict: Verdict, actor: Actor, *, only_pending: bool = False
    ) -> Decided:
        """Approve, deny or block a person, and notify them, within a transaction.

        Args:
            conn: an open write transaction.
            user_id: Telegram id of the person.
            verdict: the decision.
            actor: author of the decision.
            only_pending: keep an earlier decision, so that the first of several admins wins.

        Raises:
            AccessError: the id is unknown, or the actor may not decide about this person.
        """
        now = milliseconds(self._clock)
        decided = decisions.decide(conn, user_id, verdict, actor, now, only_pending=only_pending)
        if decided.changed:
            tell_verdict(conn, self._texts, decided.user, verdict, now)
            self._close_cards(conn, decided, verdict, now)
        return decided

    def decline_all_in(self, conn: Connection, actor: Actor) -> int:
        """Deny all pending requests and notify the people, within a transaction; return their number.

        Raises:
            AccessError: the actor is not an admin.
        """
        now = milliseconds(self._clock)
        administrator(conn, actor, now)
        asked = [user for user in users.list_all(conn, "pending") if user.requested_at is not None]
        for user in asked:
            if user.carded_at is not None:
                decided = Decided(user, changed=True, by=actor.id, request=user.requested_at)
                self._close_cards(conn, decided, "deny", now)
        pending_access.decline_all(conn, now, actor.id)
        self._cards.bundle.update(conn, now)
        tell_declined(conn, self._texts, asked, now)
        note(conn, actor, "user.deny_all", "pending", now, {"count": len(asked)})
        return len(asked)

    def set_role_in(self, conn: Connection, user_id: int, role: Role, actor: Actor) -> Decided:
        """``set_role`` within a transaction."""
        now = milliseconds(self._clock)
        decided = decisions.set_role(conn, user_id, role, actor, now)
        if decided.changed:
            tell_role(conn, self._texts, decided.user, now)
        return decided

    def toggle_in(self, conn: Connection, user_id: int, actor: Actor) -> Decided:
        """``toggle`` within a transaction."""
        may_use = decisions.known(conn, user_id).may_use(milliseconds(self._clock))
        return self.decide_in(conn, user_id, "block" if may_use else "approve", actor)

    def enforce(self, decided: Decided) -> Decided:
        """Apply a decision after its commit: stop the turns of a person who has lost access."""
        if not decided.user.may_use(milliseconds(self._clock)) and self._running is not None:
            self._running.stop_user(decided.user.id)
        return decided

    def _close_cards(self, conn: Connection, decided: Decided, verdict: Verdict, now: int) -> None:
        """Show the decision on the cards of the request."""
        if decided.request is not None:
            text = person_decided(self._texts, conn, decided.user, verdict, decided.by)
            self._cards.close(conn, Subject("users", decided.user.id, decided.request), text, now)
