"""Calls as they are stored: asked, decided, started and ended, each in a transaction that checks the rights anew."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Final

from tgllm.api import ToolCall, UserInfo
from tgllm.db.engine.unit import Connection
from tgllm.db.tables import conversations, outbox
from tgllm.db.tables.tools import calls as tool_calls
from tgllm.db.tables.tools import rounds as tool_rounds
from tgllm.db.tables.tools.calls import Ended, NewCall, StoredCall
from tgllm.db.tables.tools.rounds import NewRound
from tgllm.db.tables.users import SeenUser
from tgllm.i18n import Catalogue
from tgllm.plugins.host import PluginHost
from tgllm.services.chats.settings import settings_of
from tgllm.services.common.lane import Lane
from tgllm.services.conversations.turn import Turn
from tgllm.services.people.standing import standing_of
from tgllm.services.tools.arguments import MOST_CHARS, WrongArguments, parse_arguments
from tgllm.services.tools.offering import Offer

if TYPE_CHECKING:
    from tgllm.plugins.owned import OwnedTool
    from tgllm.services.tools.approvals import Approvals
    from tgllm.services.tools.policy import Approver, Refusal, ToolPolicy

__all__ = ["Begun", "CallBook", "Written"]

# The states of a call, in their order: why each exists, and what a crash in it costs.
#
# asked      Stored with the answer that asks for it, its usage and the cards, in one transaction. So the model is not
#            asked again for an answer that was paid already, and a card never asks about a call that is not stored. A
#            crash before costs the answer of the model, as without tools; a crash after it costs nothing.
# waiting    Its card waits for a press. A crash or a shutdown costs nothing: the turn starts again and goes on waiting.
# approved   The press is stored, the call has not started. A crash costs nothing: it starts once.
# running    On the disk before a call starts that may not be repeated. A crash leaves open whether it happened: a call
#            that may be repeated is made again under the same id, any other becomes ``unknown``.
# done       It has a result, and the next request can be made. A crash costs that request, not the call.
# failed     The same, with the words of its error.
# invalid    There is no such tool, or the arguments can't be used. It was never made.
# refused    The rights, a limit of the turn, or the card speak against it. It was never made.
# denied     A person has declined it. It was never made; its result is written when the turn goes on.
# expired    No one has decided in time; otherwise the same.
# stopped    The answer was stopped. If it was running, its effects are not undone.
# unknown    A crash came while it was running, and it may not be repeated; the model and the person read that.
#
# The rights are read in the transaction in which a call is stored, and again in the one in which it starts: a role, a
# rule or a limit may have changed while a card was open, and nothing that a model or a tool says changes them.

_MOST_ID: Final = 200


@dataclass(frozen=True, slots=True)
class Written:
    """An answer with calls, to be stored."""

    round: NewRound
    calls: Sequence[ToolCall]
    allowed: int
    """How many of them the limit of the turn allows."""


@dataclass(frozen=True, slots=True)
class Begun:
    """A call that may be made now."""

    call: StoredCall
    tool: "OwnedTool"
    user: UserInfo
    """The person, with the role that they have now."""


class CallBook:
    """Stores calls."""

    def __init__(self, host: PluginHost, policy: "ToolPolicy", approvals: "Approvals | None", texts: Catalogue) -> None:
        """Create it.

        Args:
            host: has the tools.
            policy: decides who may use what.
            approvals: asks for approvals; None: no one can be asked, and calls that need one are refused.
            texts: words for the model.
        """
        self._host = host
        self._policy = policy
        self._approvals = approvals
        self._texts = texts

    def faults(self, written: Written, offer: Offer) -> Sequence[Ended | None]:
        """Return why calls can't be made, in their order; None for those that can. Takes a millisecond for each."""
        return [self._fault(call, offer, place >= written.allowed) for place, call in enumerate(written.calls)]

    def _fault(self, call: ToolCall, offer: Offer, is_over: bool) -> Ended | None:  # noqa: FBT001  one caller
        owned = offer.find(call.name)
        if owned is None:
            known = ", ".join(each.tool.name for each in offer.tools)
            words = self._texts("prompt.tool_missing", name=call.name[:64], known=known or "-")
            return Ended(state="invalid", result=words, error="no such tool")
        if is_over:
            return Ended(state="refused", result=self._texts("prompt.tool_too_many"), error="too many calls")
        try:
            parse_arguments(call.arguments, owned.tool.schema)
        except WrongArguments as error:
            # Without the words, which quote the arguments.
            return Ended(state="invalid", result=str(error), error="wrong arguments")
        return None

    def add(
        self,
        conn: Connection,
        turn: Turn,
        written: Written,
        faults: Sequence[Ended | None],
        offer: Offer,
        now: int,
    ) -> None:
        """Store an answer with its calls, and send the cards of those that need an approval.

        Args:
            conn: an open write transaction.
            turn: the turn.
            written: the answer.
            faults: of its calls, from ``faults``.
            offer: the tools of the turn.
            now: UTC, in milliseconds.
        """
        tool_rounds.add(conn, written.round, now)
        waiting: list[tuple[StoredCall, Approver]] = []
        for place, (call, fault) in enumerate(zip(written.calls, faults, strict=True)):
            owned = offer.find(call.name)
            row_id = tool_calls.add(conn, _row(turn, written.round.round, place, call, owned), now)
            if fault is not None or owned is None:
                tool_calls.end(conn, row_id, fault or Ended(state="invalid", result=""), now)
                continue
            standing = self._policy.standing(conn, owned, turn.user, turn.chat, turn.lane, now)
            refusal = "chat" if _is_off(conn, turn, call.name) else standing.refusal
            if refusal is not None:
                tool_calls.end(conn, row_id, self._refused(owned, refusal), now)
            elif standing.approver is not None and self._approvals is None:
                tool_calls.end(conn, row_id, self._not_here(owned), now)
            elif standing.approver is not None:
                stored = tool_calls.get(conn, row_id)
                if stored is not None:
                    waiting.append((stored, standing.approver))
        if waiting and self._approvals is not None:
            outbox.add(conn, self._approvals.cards(conn, waiting, turn, now), now)

    def begin(self, conn: Connection, row_id: int, turn: Turn, now: int) -> Begun | None:
        """Start a call, or store why it can't be made: then it has its result.

        Args:
            conn: an open write transaction; durable, unless the tool may be repeated.
            row_id: of the call.
            turn: the turn.
            now: UTC, in milliseconds.

        Returns:
            None if the call has ended.
        """
        call = tool_calls.get(conn, row_id)
        if call is None or call.result is not None:
            return None
        found = self._judged(conn, call, turn, now)
        if isinstance(found, Ended):
            self.end(conn, {row_id: found}, now)
            return None
        if call.state != "running":
            tool_calls.start(conn, row_id, now)
        return found

    def _judged(self, conn: Connection, call: StoredCall, turn: Turn, now: int) -> Begun | Ended:
        owned = self.tool_of(call)
        match call.state:
            case "denied" | "expired":
                return Ended(state=call.state, result=self._texts(f"prompt.tool_{call.state}", name=call.tool))
            case "waiting":
                # Its wait has ended without a decision.
                return Ended(state="expired", result=self._texts("prompt.tool_expired", name=call.tool))
            case "running" if owned is None or not owned.tool.may_repeat:
                return self.unknown(call)
            case "asked" | "approved" | "running":
                pass
            case _:
                return self._with_words(call)
        user = self._present(conn, turn, now)
        if owned is None or user is None:
            why = self._texts("prompt.tool_gone", name=call.tool)
            return Ended(state="refused", result=why, error="no such tool, or no access")
        standing = self._policy.standing(conn, owned, user, turn.chat, turn.lane, now)
        refusal = "chat" if _is_off(conn, turn, call.tool) else standing.refusal
        # A call that is made again is among those of the day already.
        if refusal is not None and not (refusal == "limit" and call.state == "running"):
            return self._refused(owned, refusal)
        # The rule may have changed while a card was open, so that the person's own approval is not enough any more.
        is_enough = call.approver == "admins" or standing.approver != "admins"
        if standing.approver is not None and (call.state == "asked" or (call.state == "approved" and not is_enough)):
            return self._not_here(owned)
        return Begun(call, owned, user)

    def _with_words(self, call: StoredCall) -> Ended:
        """Return the end of a call whose state was set elsewhere, with words for the model."""
        if call.state == "unknown":
            return self.unknown(call)
        return Ended(state="stopped", result=self._texts("prompt.tool_stopped", name=call.tool))

    def unknown(self, call: StoredCall) -> Ended:
        """Return the end of a call of which no one knows whether it happened."""
        words = self._texts("prompt.tool_unknown", name=call.tool)
        return Ended(state="unknown", result=words, error="interrupted")

    def end(self, conn: Connection, ended: "dict[int, Ended]", now: int) -> None:
        """Store how calls have ended, and show it on their cards; one that has a result keeps it."""
        for row_id, how in ended.items():
            tool_calls.end(conn, row_id, how, now)
        if self._approvals is not None:
            self._approvals.settle(conn, list(ended), now)

    def stop(self, conn: Connection, ids: Collection[int], now: int) -> None:
        """End the calls that have no result yet, since the answer was stopped."""
        rest = [call for call in tool_calls.of_ids(conn, ids) if call.result is None]
        words = {
            call.id: Ended(state="stopped", result=self._texts("prompt.tool_stopped", name=call.tool)) for call in rest
        }
        self.end(conn, words, now)

    def leave(self, conn: Connection, ids: Collection[int], now: int) -> None:
        """End the calls of which a shutdown leaves open whether they happened; the others go on at the next start."""
        calls = [call for call in tool_calls.of_ids(conn, ids) if call.state == "running" and call.result is None]
        lost = {call.id: self.unknown(call) for call in calls if not self._may_repeat(call)}
        self.end(conn, lost, now)

    def _may_repeat(self, call: StoredCall) -> bool:
        owned = self.tool_of(call)
        return owned is not None and owned.tool.may_repeat

    def tool_of(self, call: StoredCall) -> "OwnedTool | None":
        """Return the tool of a call; None if its plugin does not offer it any more."""
        tools = self._host.tools
        return next((each for each in tools if (each.tool.name, each.plugin_id) == (call.tool, call.plugin_id)), None)

    @staticmethod
    def _present(conn: Connection, turn: Turn, now: int) -> UserInfo | None:
        """Return the person of a turn with the role that they have now; None without access."""
        if turn.person_id is None:
            # The shell: who may use it is decided by the permissions of the data folder.
            return turn.user
        standing = standing_of(conn, SeenUser(turn.user.id), Lane.parse(turn.lane).access_id, now)
        return replace(turn.user, role=standing.user.role) if standing.closed is None else None

    def _refused(self, owned: "OwnedTool", refusal: "Refusal") -> Ended:
        words = self._texts(f"prompt.tool_refused_{refusal}", name=owned.tool.name)
        return Ended(state="refused", result=words, error=refusal)

    def _not_here(self, owned: "OwnedTool") -> Ended:
        words = self._texts("prompt.tool_needs_approval", name=owned.tool.name)
        return Ended(state="refused", result=words, error="needs an approval")


def _is_off(conn: Connection, turn: Turn, name: str) -> bool:
    """Return whether a tool was switched off in the conversation, perhaps since the turn has begun."""
    if turn.branch is None:
        found = conversations.active_in(conn, turn.lane)
    else:
        found = conversations.get(conn, turn.branch.conversation_id)
    return name in (settings_of(found).tools_off or ())


def _row(turn: Turn, number: int, place: int, call: ToolCall, owned: "OwnedTool | None") -> NewCall:
    return NewCall(
        turn_id=turn.id,
        round=number,
        place=place,
        call_id=call.id[:_MOST_ID],
        tool=call.name[:_MOST_ID],
        plugin_id=None if owned is None else owned.plugin_id,
        lane=turn.lane,
        user_id=turn.person_id,
        arguments=call.arguments[:MOST_CHARS],
    )
