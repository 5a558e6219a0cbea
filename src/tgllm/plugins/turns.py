"""Hooks of a turn: authorization, changes of the request, notification of the result."""

from tgllm.api.context import Texts
from tgllm.api.errors import TgllmError
from tgllm.api.people import ChatInfo, UserInfo
from tgllm.api.turn import Decision, TurnInfo, TurnResult
from tgllm.api.types import ChatRequest
from tgllm.plugins.calls.outcome import Breach, Raised, contract_error
from tgllm.plugins.checks.request import check_request
from tgllm.plugins.roster import Bound, Roster

__all__ = ["TurnHooks"]


class TurnHooks:
    """Caller of the hooks of a turn, one implementation after another."""

    def __init__(self, roster: Roster, texts: Texts) -> None:
        """Create a caller; ``texts`` has the message for a denial without a reason of a plugin."""
        self._roster = roster
        self._texts = texts

    async def authorize(self, user: UserInfo, chat: ChatInfo, action: str) -> Decision:
        """Ask all plugins; a plugin that can't be asked counts as a denial, except for owners.

        The check for absent authorizers is repeated after each call, because a failing call quarantines its plugin.
        """
        values: dict[str, object] = {"user": user, "chat": chat, "action": action}
        for bound in self._roster.implementations("tgllm_authorize"):
            if self._is_closed_to(user):
                break
            decision = await self._decision(bound, values)
            # Only True allows: a plugin's value such as "no" is truthy.
            if decision is not None and decision.allowed is not True:
                return Decision.deny(decision.reason)
        if self._is_closed_to(user):
            return Decision.deny(self._texts("access.owners_only", user.language))
        return Decision.allow()

    async def before_request(self, request: ChatRequest, turn: TurnInfo) -> ChatRequest:
        """Pass the request through the plugins one after another and return the result.

        Raises:
            TgllmError: a plugin ends the turn with this message.
        """
        for bound in self._roster.implementations("tgllm_before_request"):
            if bound.plugin.is_active:
                request = await self._changed(bound, request, turn)
        return request

    async def after_reply(self, turn: TurnInfo, result: TurnResult) -> None:
        """Notify all plugins of an answer."""
        await self._tell("tgllm_after_reply", {"turn": turn, "result": result})

    async def on_error(self, turn: TurnInfo, error: TgllmError) -> None:
        """Notify all plugins of a failed turn."""
        await self._tell("tgllm_on_error", {"turn": turn, "error": error})

    def _is_closed_to(self, user: UserInfo) -> bool:
        return bool(self._roster.absent_authorizers) and user.role != "owner"

    async def _decision(self, bound: Bound, values: dict[str, object]) -> Decision | None:
        try:
            value = await self._roster.value(bound, values)
            return None if value is None else self._roster.checked(bound, value, Decision)
        except Breach:
            # No decision: the plugin is now quarantined, so the caller denies access to everyone but owners.
            return None

    async def _changed(self, bound: Bound, request: ChatRequest, turn: TurnInfo) -> ChatRequest:
        outcome = await self._roster.call(bound, {"request": request, "turn": turn})
        if isinstance(outcome, Raised) and (error := contract_error(outcome.error)):
            raise error
        try:
            value = self._roster.judged(bound, outcome)
            if value is None or value is request:
                return request
            changed = self._roster.checked(bound, value, ChatRequest)
            return self._roster.passed(bound, lambda: check_request(changed, request))
        except Breach:
            # The plugin is quarantined, and the reason is logged; the question is answered without it.
            return request

    async def _tell(self, hook: str, values: dict[str, object]) -> None:
        for bound in self._roster.implementations(hook):
            if not bound.plugin.is_active:
                continue
            try:
                await self._roster.value(bound, values)
            except Breach:
                # The plugin is quarantined, and the reason is logged; the turn has ended either way.
                continue
