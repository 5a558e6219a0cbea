"""Invite links, which approve people without further decisions.

The token of a link is random (144 bits) and stored only as a hash. The message with the link is stored without it,
and an update with a token is stored with its hash, so a copy of the database contains no usable link.
"""

import base64
import hashlib
import hmac
import secrets
from dataclasses import dataclass, field
from typing import Final

from tgllm.api.clock import Clock, milliseconds
from tgllm.db.engine.unit import Connection
from tgllm.db.tables import invites, users
from tgllm.db.tables.invites import Invite
from tgllm.db.tables.users import SeenUser, User
from tgllm.i18n import Catalogue
from tgllm.services.access.card_texts import person_decided
from tgllm.services.access.cards import AccessCards, Subject
from tgllm.services.common.actor import Actor, note
from tgllm.services.messaging.memory_texts import MemoryTexts
from tgllm.services.people.decisions import AccessError, administrator

__all__ = ["MOST_HOURS", "MOST_USES", "Invitations", "NewInvite", "link", "seeded_token", "token_hash"]

MOST_USES: Final = 1000
MOST_HOURS: Final = 24 * 90
_HOUR = 60 * 60 * 1000


@dataclass(frozen=True, slots=True)
class NewInvite:
    """A new invite link."""

    invite: Invite
    token: str
    """Token of the link; only its hash is stored."""
    seed: str = ""
    """What the token was made of with the secret of the replicas; empty for a random one."""


def seeded_token(secret: str, seed: str) -> str:
    """Return the token of a seed, which may be stored: without the secret it tells nothing of the token."""
    digest = hmac.new(secret.encode(), f"invite link {seed}".encode(), hashlib.sha256).digest()
    return f"inv_{base64.urlsafe_b64encode(digest[:18]).decode()}"


def link(username: str, token: str) -> str:
    """Return the deep link that starts the bot with a token. Telegram: Bot features, Deep linking."""
    return f"https://t.me/{username}?start={token}"


@dataclass(frozen=True, slots=True)
class Invitations:
    """Creates, revokes and redeems invite links, within larger transactions."""

    clock: Clock
    texts: Catalogue
    cards: AccessCards
    secret: str = field(default="", repr=False)
    """Known to each of several replicas, so that one can send the link that another has made; empty for one process."""
    links: MemoryTexts = field(init=False)
    """Links that are to be sent."""

    def __post_init__(self) -> None:
        object.__setattr__(self, "links", MemoryTexts(self._seeded))

    def keep(self, made: NewInvite, username: str) -> str:
        """Return the name by which the message with a link finds it; see ``MemoryTexts``."""
        if made.seed:
            return f"{username}/{made.seed}"
        name = f"invite:{made.invite.id}"
        self.links.keep(name, link(username, made.token))
        return name

    def _seeded(self, name: str) -> str | None:
        username, _, seed = name.partition("/")
        return link(username, seeded_token(self.secret, seed)) if seed and self.secret else None

    def create_in(self, conn: Connection, actor: Actor, uses: int, hours: int) -> NewInvite:
        """Create a link for ``uses`` people (1 to 1000) that is valid for ``hours`` (1 to 2160).

        Raises:
            AccessError: a number is out of range, or the actor is not an admin.
        """
        now = milliseconds(self.clock)
        administrator(conn, actor, now)
        if not (1 <= uses <= MOST_USES and 1 <= hours <= MOST_HOURS):
            raise AccessError("out of range", code="access_invite_range", uses=MOST_USES, hours=MOST_HOURS)
        seed = secrets.token_urlsafe(18) if self.secret else ""
        token = seeded_token(self.secret, seed) if seed else f"inv_{secrets.token_urlsafe(18)}"
        made = invites.create(conn, token_hash(token), uses, now + hours * _HOUR, now, created_by=actor.id)
        note(conn, actor, "invite.create", str(made.id), now, {"uses": uses, "expires_at": made.expires_at})
        return NewInvite(made, token, seed)

    def revoke_in(self, conn: Connection, actor: Actor, invite_id: int) -> bool:
        """Revoke a link; return False if it is unknown or has no uses left.

        Raises:
            AccessError: the actor is not an admin.
        """
        now = milliseconds(self.clock)
        administrator(conn, actor, now)
        revoked = invites.revoke(conn, invite_id)
        if revoked:
            note(conn, actor, "invite.revoke", str(invite_id), now, {})
        return revoked

    def redeem_in(self, conn: Connection, person: SeenUser, hashed: str) -> User | None:
        """Approve a person who has opened a link; ``hashed`` is the hash of its token.

        Returns:
            The approved person; None if the link is unknown, used up, revoked, expired or created by someone who is no
            longer an admin, or if the person was denied or blocked.
        """
        now = milliseconds(self.clock)
        invite, before = invites.find(conn, hashed), users.get(conn, person.id)
        if invite is None or not _is_valid(conn, invite, now) or (before and before.status in {"denied", "blocked"}):
            return None
        if not invites.use(conn, invite.id, now):
            return None
        users.upsert_seen(conn, person, now)
        users.set_role(conn, person.id, "user", now)
        after = users.set_status(conn, person.id, "active", now, decided_by=invite.created_by)
        actor = Actor(person.id, "telegram")
        details = {"invite": invite.id, "invited_by": invite.created_by, "uses_left": invite.uses_left - 1}
        note(conn, actor, "user.invite", str(person.id), now, details)
        if before is not None and before.status == "pending" and before.requested_at is not None:
            text = person_decided(self.texts, conn, after, "invite", invite.created_by)
            self.cards.close(conn, Subject("users", after.id, before.requested_at), text, now)
        return after


def _is_valid(conn: Connection, invite: Invite, now: int) -> bool:
    """Whether a link is valid, and its creator is still an admin (or the shell)."""
    if not invite.works(now) or invite.created_by is None:
        return invite.works(now)
    return any(admin.id == invite.created_by for admin in users.admins(conn, now))


def token_hash(token: str) -> str:
    """Return the hash of a token, as it is stored."""
    return hashlib.sha256(token.encode()).hexdigest()
