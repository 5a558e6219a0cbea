"""Pinned facts, sent to the model with every request of a chat or topic.

They belong to the lane and not to a person: all members of a chat share one conversation, so a fact about one of them
would appear in the answers to the others anyway.
"""

from collections.abc import Sequence

from tgllm.api import TgllmError
from tgllm.db.tables.facts import Fact
from tgllm.i18n import Catalogue

__all__ = ["MOST_FACTS", "MOST_LENGTH", "FactRefused", "check_fact", "facts_told"]

MOST_FACTS = 20
"""Maximum number of facts of a lane; all of them are part of every request."""
MOST_LENGTH = 300
"""Maximum length of a fact in characters."""


class FactRefused(TgllmError):
    """The fact can't be pinned."""

    default_code = "fact_refused"


def check_fact(text: str, known: Sequence[Fact]) -> None:
    """Check whether a text can be pinned in a lane with ``known`` facts.

    Raises:
        FactRefused: the text is too long, it is pinned already, or the lane has the maximum number of facts.
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
