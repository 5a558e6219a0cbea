"""Pinned facts: what the model of a chat or topic is told with every question, until it is taken away.

They belong to the lane, like the other settings of a chat: all who talk there talk to the same model, and a fact that
it knows for one of them would turn up in its answers to the others in any case.
"""

from collections.abc import Sequence

from tgllm.api import TgllmError
from tgllm.db.tables.facts import Fact
from tgllm.i18n import Catalogue

__all__ = ["MOST_FACTS", "MOST_LENGTH", "FactRefused", "check_fact", "facts_told"]

MOST_FACTS = 20
"""Facts of a lane: all of them go into every request."""
MOST_LENGTH = 300
"""Characters of a fact."""


class FactRefused(TgllmError):
    """The fact can't be pinned."""

    default_code = "fact_refused"


def check_fact(text: str, known: Sequence[Fact]) -> None:
    """See whether a text can become a fact of a lane that has others.

    Raises:
        FactRefused: it is too long, there are as many as may be, or it is pinned already.
    """
    if len(text) > MOST_LENGTH:
        raise FactRefused(code="fact_too_long", length=len(text), limit=MOST_LENGTH)
    if any(fact.text == text for fact in known):
        raise FactRefused(code="fact_known")
    if len(known) >= MOST_FACTS:
        raise FactRefused(code="facts_full", limit=MOST_FACTS)


def facts_told(texts: Catalogue, facts: Sequence[Fact]) -> str:
    """The facts as the model reads them, marked as what they are; empty without any.

    In the language of the bot and not of a person, so that requests of one chat begin alike.
    """
    if not facts:
        return ""
    lines = ["- " + "\n  ".join(fact.text.splitlines()) for fact in facts]
    return "\n".join([texts("prompt.facts"), *lines])
