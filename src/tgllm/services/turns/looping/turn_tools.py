"""Tools of one turn: its rounds so far, and the requests and the answer that are made of them."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace
from typing import Final

from tgllm.api import ChatMessage, ChatRequest, JsonObject, ModelRef, Part, TextPart, ToolCallPart
from tgllm.db.tables.tools.calls import CallState, StoredCall
from tgllm.i18n import Catalogue
from tgllm.providers.encoding.retelling import retold
from tgllm.services.conversations.tool_steps import StepState, ToolStep, ToolSteps
from tgllm.services.conversations.turn import Turn, TurnOutcome
from tgllm.services.files.storage.store import FileStorage
from tgllm.services.tools.arguments import WrongArguments, parse_arguments
from tgllm.services.tools.kept_files import outgoing
from tgllm.services.tools.offering import Offer
from tgllm.services.tools.results import cut, files_of, result_part, sources_of
from tgllm.services.tools.rounds import Round
from tgllm.services.tools.settings import ToolLimits

__all__ = ["TurnTools"]

SHORT_RESULT: Final = 3_000
"""Characters of a result in a request that was too long for the model."""

_STEPS: Final[dict[CallState, StepState]] = {
    "asked": "writing",
    "waiting": "waiting",
    "approved": "running",
    "running": "running",
    "done": "done",
    "failed": "failed",
    "invalid": "failed",
    "refused": "denied",
    "denied": "denied",
    "expired": "denied",
    "stopped": "stopped",
    "unknown": "unknown",
}


@dataclass(slots=True, eq=False)
class TurnTools:
    """Tools of one turn."""

    turn: Turn
    offer: Offer
    limits: ToolLimits
    texts: Catalogue
    """Words for the model."""
    began: float
    """Monotonic time of the beginning."""
    rounds: list[Round] = field(default_factory=list[Round])
    paused: float = 0.0
    """Seconds in which the turn waited for approvals."""
    is_short: bool = False
    """Whether results are cut further, since a request was too long."""

    @property
    def calls(self) -> Iterable[StoredCall]:
        """All calls, in order."""
        return (call for each in self.rounds for call in each.calls)

    @property
    def text(self) -> str:
        """What the model has said in the rounds."""
        return _joined(each.answer.text for each in self.rounds)

    def left(self) -> int:
        """Return how many calls the limit still allows."""
        return max(0, self.limits.calls - sum(len(each.calls) for each in self.rounds))

    def must_end(self, now: float) -> bool:
        """Whether a limit of the turn is reached at a monotonic time, so that the next answer is the last one."""
        is_slow = bool(self.rounds) and now - self.began - self.paused >= self.limits.seconds
        return is_slow or len(self.rounds) >= self.limits.rounds or not self.left()

    def extended(self, base: ChatRequest, ref: ModelRef, now: float) -> ChatRequest:
        """Return a request with the rounds so far behind the question.

        Args:
            base: the request of the turn; it has tools if the model takes them.
            ref: the model that is asked.
            now: monotonic time.
        """
        if not self.rounds:
            return base
        is_last = self.must_end(now)
        added: list[ChatMessage] = []
        for each in self.rounds:
            note = self.texts("prompt.tool_enough") if is_last and each is self.rounds[-1] else ""
            pair = self._messages(each, note, same=each.model == ref)
            # Signatures and reasoning belong to the model that made the calls, and some services refuse calls without.
            added += pair if base.tools and each.model == ref else retold(pair)
        return replace(base, messages=(*base.messages, *added), tool_choice="none" if is_last else base.tool_choice)

    def _messages(self, each: Round, note: str, *, same: bool) -> Sequence[ChatMessage]:
        said: list[Part] = [TextPart(each.answer.text)] if each.answer.text.strip() else []
        results: list[Part] = []
        for call in each.calls:
            part_id = f"call_{call.round}_{call.place}"
            said.append(ToolCallPart(part_id, call.tool, _arguments(call)))
            result = result_part(self._shortened(call), part_id, self.texts)
            if note and call is each.calls[-1]:
                result = replace(result, text=f"{result.text}\n\n{note}")
            results.append(result)
        data = each.answer.provider_data if same else None
        return ChatMessage("assistant", tuple(said), data), ChatMessage("user", tuple(results))

    def _shortened(self, call: StoredCall) -> StoredCall:
        text = call.result or ""
        if not self.is_short or len(text) <= SHORT_RESULT:
            return call
        return replace(call, result=cut(text, SHORT_RESULT, self.texts))

    def shorten(self) -> bool:
        """Cut long results from now on; return whether that makes requests shorter."""
        has_long = any(len(call.result or "") > SHORT_RESULT for call in self.calls)
        is_new, self.is_short = not self.is_short, True
        return is_new and has_long

    def step(self, call: StoredCall, state: StepState | None = None, note: str = "") -> ToolStep:
        """Return a call as the chat shows it."""
        title = self.offer.title_of(call.tool, self.turn.user.language)
        return ToolStep(f"{call.round}.{call.place}", call.tool, title, state or _STEPS[call.state], note)

    def whole(self, outcome: TurnOutcome, storage: FileStorage | None) -> TurnOutcome:
        """Return the result of the last answer with all that came in the rounds before it."""
        if not self.rounds:
            return outcome
        calls = list(self.calls)
        steps = ToolSteps(
            tuple(self.step(call) for call in calls), sources_of(calls), outgoing(files_of(calls), storage)
        )
        return replace(
            outcome,
            text=_joined((self.text, outcome.text)),
            reasoning=_joined((*(each.answer.reasoning for each in self.rounds), outcome.reasoning)),
            tools=steps,
        )


def _joined(texts: Iterable[str]) -> str:
    found = [text for text in texts if text.strip()]
    if len(found) <= 1:
        return found[0] if found else ""
    return "\n\n".join(text.strip("\n") for text in found)


def _arguments(call: StoredCall) -> JsonObject:
    """Return the arguments of a call for a request; empty if they are no JSON object."""
    try:
        return parse_arguments(call.arguments)
    except WrongArguments:
        return {}
