"""Facts that a model proposes to remember, and the decision of the person.

States of a proposal, and what a crash in each of them costs:

- ``new``: stored by the call of the tool. The person is asked in the transaction that stores the answer, so a crash
  before it costs nothing: the turn runs again, and its repeated call finds the proposal. If the turn is given up, the
  person is never asked, and nothing is remembered.
- ``open``: the card is in the outbox. It expires by its time alone; nothing has to run for that.
- ``kept``, ``declined``: the press has changed the state, and has added the fact, in one transaction. A second press
  finds another state than ``open``.
"""

import secrets
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final, Literal

from tgllm.api import ToolFailed
from tgllm.db.engine.unit import Connection
from tgllm.db.tables import facts
from tgllm.db.tables.facts import Fact, NewFact
from tgllm.db.tables.memory import proposals
from tgllm.db.tables.memory.proposals import NewProposal, Proposal
from tgllm.observe.visible import visible
from tgllm.services.chats.facts import MOST_FACTS, MOST_LENGTH, FactRefused, check_fact, facts_in, owner_in
from tgllm.services.common.lane import Lane
from tgllm.services.conversations.turn import Turn
from tgllm.services.search.folding import fold

__all__ = ["MOST_IN_DAY", "MOST_IN_TURN", "VALID_DAYS", "Decided", "decide", "propose"]

VALID_DAYS: Final = 7
"""How long a person can decide."""
MOST_IN_TURN: Final = 3
"""Most proposals in one turn."""
MOST_IN_DAY: Final = 20
"""Most proposals to a person in 24 hours."""
_DAY: Final = 24 * 3600 * 1000
_MOST_MARK: Final = 2**31

Proposed = Literal["proposed", "known", "asked_before", "declined_before"]
"""The person will be asked; the fact is remembered already; the person is asked already; has said no before."""


@dataclass(frozen=True, slots=True)
class Decided:
    """What a press on a card has done."""

    result: Literal["kept", "declined", "over", "expired", "not_yours", "unknown"]
    """``over``: an earlier press has decided. ``unknown``: there is no such proposal here."""
    proposal: Proposal | None = None
    refusal: FactRefused | None = None
    """Why the fact could not be kept; the proposal stays open."""


def propose(conn: Connection, turn: Turn, call_id: str, fact: str, now: int) -> Proposed:
    """Store a proposal of a model; the person is asked when the answer is stored.

    Args:
        conn: an open write transaction.
        turn: the running turn.
        call_id: the call of the tool, which is the same if it is made again.
        fact: the text; invisible characters become visible escapes, so that what is kept is what is shown.
        now: UTC, in milliseconds.

    Raises:
        ToolFailed: the fact is empty or too long, or there are too many proposals or facts.
    """
    text = visible("\n".join(line.strip() for line in fact.strip().splitlines() if line.strip()))
    if not text:
        raise ToolFailed("the fact is empty")
    if len(text) > MOST_LENGTH:
        raise ToolFailed(f"the fact is too long: length {len(text)}, at most {MOST_LENGTH}")
    if proposals.of_call(conn, call_id) is not None:
        return "proposed"
    lane = Lane.parse(turn.lane)
    known = facts_in(conn, turn.lane)
    if _has(known, text):
        return "known"
    if (before := _before(conn, turn, lane, text, now)) is not None:
        return before
    if len(known) >= MOST_FACTS:
        raise ToolFailed(
            "as much as possible is remembered here already; the person can delete some of it with /memory"
        )
    if len(proposals.unasked(conn, turn.id)) >= MOST_IN_TURN:
        raise ToolFailed("enough is proposed in this answer already")
    if proposals.count_since(conn, turn.user.id, now - _DAY) >= MOST_IN_DAY:
        raise ToolFailed("too many facts were proposed today")
    proposals.add(conn, _new(turn, lane, call_id, text, now), now)
    return "proposed"


def decide(conn: Connection, proposal_id: int, mark: int, lane: Lane, user_id: int, *, keep: bool, now: int) -> Decided:
    """Keep or decline a proposed fact, once; only the person who was asked can, and in the chat of the card.

    Args:
        conn: an open write transaction.
        proposal_id: as in the data of the button, which may be forged.
        mark: likewise.
        lane: where the button was pressed.
        user_id: who has pressed it.
        keep: whether the fact is kept.
        now: UTC, in milliseconds.
    """
    found = proposals.get(conn, proposal_id)
    if found is None or found.mark != mark or found.lane != lane.key:
        return Decided("unknown")
    if found.user_id != user_id:
        return Decided("not_yours")
    if found.state != "open":
        return Decided("over", found)
    if now >= found.expires_at:
        return Decided("expired", found)
    if not keep:
        proposals.set_state(conn, found.id, "declined", "open")
        return Decided("declined", found)
    known = facts_in(conn, found.lane)
    if not _has(known, found.text):
        try:
            check_fact(found.text, known)
        except FactRefused as error:
            return Decided("over", found, error)
        facts.add(conn, _fact(found), now)
    proposals.set_state(conn, found.id, "kept", "open")
    return Decided("kept", found)


def _before(conn: Connection, turn: Turn, lane: Lane, text: str, now: int) -> Proposed | None:
    """Return what has become of earlier proposals of the same fact; None if it may be proposed."""
    for each in proposals.list_in(conn, turn.lane, owner_in(lane), turn.user.id):
        if fold(each.text) != fold(text):
            continue
        if each.state == "declined":
            return "declined_before"
        if each.turn_id == turn.id or (each.state == "open" and now < each.expires_at):
            return "asked_before"
    return None


def _new(turn: Turn, lane: Lane, call_id: str, text: str, now: int) -> NewProposal:
    return NewProposal(
        call_id=call_id,
        turn_id=turn.id,
        lane=turn.lane,
        owner=owner_in(lane),
        user_id=turn.user.id,
        text=text,
        message_id=turn.message_id,
        mark=secrets.randbelow(_MOST_MARK),
        expires_at=now + VALID_DAYS * _DAY,
    )


def _fact(proposal: Proposal) -> NewFact:
    return NewFact(
        lane=proposal.lane,
        owner=proposal.owner,
        user_id=proposal.user_id,
        text=proposal.text,
        source="model",
        message_id=proposal.message_id,
    )


def _has(known: Sequence[Fact], text: str) -> bool:
    return any(fold(fact.text) == fold(text) for fact in known)
