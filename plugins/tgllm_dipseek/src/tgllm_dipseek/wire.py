"""Wire format of the DeepSeek API (DeepSeek API: create chat completion, get user balance)."""

from dataclasses import dataclass

from tgllm.api.types import JsonObject, ReasoningEffort
from tgllm.providers.json_values import as_list, as_object, as_text
from tgllm.providers.openai_chat import Body
from tgllm.providers.openai_reader import ChatReader

__all__ = ["REASONING", "Balance", "DipseekReader", "read_balance", "reasoning", "thinking_fields"]

REASONING = "reasoning_content"
"""Field of a message with its reasoning."""


class DipseekReader(ChatReader):
    """Reader of answers whose reasoning is sent back on later turns."""

    def provider_data(self) -> JsonObject | None:
        """Return the reasoning, which the API requires in some conversations and ignores in others."""
        return {REASONING: "".join(self.reasoning)} if self.reasoning else None


@dataclass(frozen=True, slots=True)
class Balance:
    """Balance of an account."""

    available: bool
    """Whether the balance is sufficient for a request."""
    amounts: tuple[tuple[str, str], ...]
    """Currency and amount as returned by the service, such as ``("USD", "110.00")``."""


def read_balance(data: JsonObject) -> Balance:
    """Parse the response of ``GET /user/balance``."""
    infos = map(as_object, as_list(data.get("balance_infos")))
    amounts = tuple((as_text(info.get("currency")), as_text(info.get("total_balance"))) for info in infos)
    return Balance(data.get("is_available") is True, amounts)


def reasoning(data: JsonObject | None) -> Body:
    """Return the reasoning of an earlier answer as a field of its message; empty if there is none."""
    text = as_text((data or {}).get(REASONING))
    return {REASONING: text} if text else {}


def thinking_fields(effort: ReasoningEffort | None) -> Body:
    """Return the service's fields for the reasoning effort; reasoning is on by default."""
    if effort is None:
        return {}
    if effort == "none":
        return {"thinking": {"type": "disabled"}}
    return {"thinking": {"type": "enabled"}, "reasoning_effort": effort}
