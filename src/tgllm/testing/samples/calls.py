"""Questions that the chat page of the demo suggests to show tools at work; the calls were written beforehand."""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from tgllm.api.types import JsonObject
from tgllm.testing.emulator.state.suggestions import Suggestion

__all__ = ["CALL_SAMPLES", "HINT", "CallSample"]

HINT: Final = 'Write call calculator {"expression": "2*(3+4)"} to see a tool at work, or send /tools.'
"""What the demo says about tools."""


@dataclass(frozen=True, slots=True)
class CallSample:
    """A suggestion, the calls with which it is answered, and the text above their results."""

    suggestion: Suggestion
    calls: Sequence[tuple[str, JsonObject]]
    answer: str

    @property
    def as_text(self) -> str:
        """The calls as lines that call them."""
        return "\n".join(f"call {name} {json.dumps(arguments)}" for name, arguments in self.calls)


_KEY: Final = "My spare key is under the blue flower pot"

CALL_SAMPLES: Final[tuple[CallSample, ...]] = (
    CallSample(
        Suggestion("🧮 Tools", "What is 17% of 2340, and what day is it in Tokyo?"),
        (("calculator", {"expression": "17% of 2340"}), ("clock", {"timezone": "Asia/Tokyo"})),
        "I have used two tools:",
    ),
    CallSample(Suggestion("🔑 Tell it something", _KEY), (), "I have read that. Now press 🔎 and ask me for it."),
    CallSample(
        Suggestion("🔎 Search our chat", "Where is my spare key?"),
        (("search_history", {"query": "spare key flower"}),),
        "That is what I have found in our chat:",
    ),
    CallSample(
        Suggestion("🍕 Order a pizza (it asks first)", "Order a pizza for me"),
        (("order_pizza", {"pizza": "Margherita", "count": 1, "note": "no pineapple, please"}),),
        "That is how it went:",
    ),
)
"""In the order of the page."""
