"""Table ``fact_proposals``: facts that a model has proposed to remember, and what the person has decided."""

from dataclasses import dataclass
from typing import Literal

from tgllm.db.engine.rows import clean, new_id, read_all, read_one
from tgllm.db.engine.unit import Connection

__all__ = [
    "NewProposal",
    "Proposal",
    "ProposalState",
    "add",
    "count_since",
    "get",
    "list_in",
    "of_call",
    "prune",
    "set_state",
    "unasked",
]

ProposalState = Literal["new", "open", "kept", "declined"]
"""The person is asked when the answer is stored; is asked; has agreed; has not."""


@dataclass(frozen=True, slots=True)
class Proposal:
    """A stored proposal; the fields are the columns of the table ``fact_proposals``."""

    id: int
    call_id: str
    turn_id: str
    lane: str
    owner: int | None
    user_id: int
    text: str
    message_id: int | None
    mark: int
    state: ProposalState
    created_at: int
    expires_at: int


@dataclass(frozen=True, slots=True, kw_only=True)
class NewProposal:
    """A proposal to store."""

    call_id: str
    """Unique; a repeated call finds its proposal by it."""
    turn_id: str
    lane: str
    owner: int | None
    user_id: int
    text: str
    message_id: int | None
    mark: int
    expires_at: int


_ADD = """
    INSERT INTO fact_proposals
        (call_id, turn_id, lane, owner, user_id, text, message_id, mark, created_at, expires_at)
    VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)
    RETURNING id
"""


def add(conn: Connection, new: NewProposal, now: int) -> int:
    """Store a proposal, and return its id.

    Raises:
        sqlite3.IntegrityError: the call has one.
    """
    values = (new.call_id, new.turn_id, new.lane, new.owner, new.user_id, clean(new.text), new.message_id, new.mark)
    return new_id(conn.execute(_ADD, (*values, now, new.expires_at)))


def get(conn: Connection, proposal_id: int) -> Proposal | None:
    """Return a proposal; None if there is none with that id."""
    return read_one(Proposal, conn.execute("SELECT * FROM fact_proposals WHERE id = ?", (proposal_id,)))


def of_call(conn: Connection, call_id: str) -> Proposal | None:
    """Return the proposal of a call of the tool."""
    return read_one(Proposal, conn.execute("SELECT * FROM fact_proposals WHERE call_id = ?", (call_id,)))


def unasked(conn: Connection, turn_id: str) -> list[Proposal]:
    """Return the proposals of a turn for which the person has not been asked, in order."""
    query = "SELECT * FROM fact_proposals WHERE turn_id = ? AND state = 'new' ORDER BY id"
    return read_all(Proposal, conn.execute(query, (turn_id,)))


def list_in(conn: Connection, lane: str, owner: int | None, user_id: int) -> list[Proposal]:
    """Return the proposals to a person whose facts would count in a lane, oldest first."""
    query = "SELECT * FROM fact_proposals WHERE user_id = ? AND (lane = ? OR owner = ?) ORDER BY id"
    return read_all(Proposal, conn.execute(query, (user_id, lane, owner)))


def count_since(conn: Connection, user_id: int, since: int) -> int:
    """Return how many facts were proposed to a person since a time (UTC, milliseconds)."""
    query = "SELECT count(*) FROM fact_proposals WHERE user_id = ? AND created_at >= ?"
    return int(conn.execute(query, (user_id, since)).fetchone()[0])


def set_state(conn: Connection, proposal_id: int, state: ProposalState, before: ProposalState) -> bool:
    """Change the state of a proposal that has the state ``before``; return False if it has another one."""
    query = "UPDATE fact_proposals SET state = ? WHERE id = ? AND state = ?"
    return conn.execute(query, (state, proposal_id, before)).rowcount == 1


def prune(conn: Connection, before: int, limit: int) -> int:
    """Delete up to ``limit`` proposals made before a time (UTC, milliseconds), and return their number."""
    query = "SELECT id FROM fact_proposals WHERE created_at < ? ORDER BY created_at LIMIT ?"
    return conn.execute(f"DELETE FROM fact_proposals WHERE id IN ({query})", (before, limit)).rowcount  # noqa: S608 (constants)
