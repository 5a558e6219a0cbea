"""Facts that the model gets with every request.

A fact belongs to the chat in which it was added: to all topics of a person's private chat, or to all topics of a group.
So it never passes from one group to another, from a private chat into a group, or back: whose facts a request contains
follows from its lane alone, not from the person who asks. Facts of earlier versions belong to their lane only, as do
those of lanes that other people than the rest of their chat read.
"""

from collections.abc import Sequence
from typing import Final

from tgllm.api import TgllmError
from tgllm.db.engine.unit import Connection
from tgllm.db.tables import facts
from tgllm.db.tables.facts import Fact
from tgllm.i18n import Catalogue
from tgllm.services.common.lane import Lane

__all__ = ["MOST_FACTS", "MOST_LENGTH", "FactRefused", "check_fact", "facts_in", "facts_told", "owner_in"]

MOST_FACTS: Final = 30
"""Maximum number of facts that count in a lane; all of them are part of every request."""
MOST_LENGTH: Final = 300
"""Maximum length of a fact in characters."""


class FactRefused(TgllmError):
    """The fact can't be added."""

    default_code = "fact_refused"


def owner_in(lane: Lane) -> int | None:
    """Return the person or group in all of whose topics a fact of this lane counts; None: it counts in it only.

    A private chat has the id of its person. Chats of a business connection, direct messages of a channel and messages
    to one person in a group have other readers than the rest of their chat.
    """
    return None if lane.is_apart else lane.telegram_chat_id


def facts_in(conn: Connection, lane: str) -> Sequence[Fact]:
    """Return the facts that count in a lane, oldest first."""
    return facts.list_for(conn, lane, owner_in(Lane.parse(lane)))


def check_fact(text: str, known: Sequence[Fact]) -> None:
    """Check whether a text can be added to the ``known`` facts.

    Raises:
        FactRefused: the text is too long, is known already, or there is the maximum number of facts.
    """
    if len(text) > MOST_LENGTH:
        raise FactRefused(code="fact_too_long", length=len(text), count=MOST_LENGTH)
    if any(fact.text == text for fact in known):
        raise FactRefused(code="fact_known")
    if len(known) >= MOST_FACTS:
        raise FactRefused(code="facts_full", count=MOST_FACTS)


def facts_told(texts: Catalogue, facts: Sequence[Fact]) -> str:
    """Return the facts as a list with a heading for the model; an empty string without any.

    The heading is in the bot's language, not in a person's, so that requests of one chat share their prefix (prompt
    caching).
    """
    if not facts:
        return ""
    lines = ["- " + "\n  ".join(fact.text.splitlines()) for fact in facts]
    return "\n".join([texts("prompt.facts"), *lines])
