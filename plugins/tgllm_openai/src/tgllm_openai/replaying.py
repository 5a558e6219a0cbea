"""What services demand back with calls of tools: reasoning, and signatures beside the calls."""

from collections.abc import Iterator
from typing import Final

from tgllm.api.events import StreamEvent
from tgllm.api.types import Json, JsonObject
from tgllm.providers.json_values import as_list, as_object, as_text
from tgllm.providers.openai_chat import Body
from tgllm.providers.openai_reader import ChatReader

__all__ = ["ServiceReader", "replayed"]

_DETAILS: Final = "reasoning_details"
_CONTENT: Final = "reasoning_content"


class ServiceReader(ChatReader):
    """Reader that keeps what belongs to calls of tools."""

    def __init__(self) -> None:
        """Create a reader for one answer."""
        super().__init__()
        self._details: list[Json] = []
        self._thoughts: list[str] = []

    def read_delta(self, delta: JsonObject) -> Iterator[StreamEvent]:
        """Yield the events of a delta, and keep its reasoning in the service's form."""
        self._details += as_list(delta.get(_DETAILS))
        self._thoughts += filter(None, [as_text(delta.get(_CONTENT))])
        yield from super().read_delta(delta)

    def provider_data(self) -> JsonObject | None:
        """Return the reasoning and the signatures of an answer with calls; None for any other answer."""
        if not self.tool_calls.begun:
            return None
        extras = self.tool_calls.extras()
        found: Body = {
            _CONTENT: "".join(self._thoughts),
            _DETAILS: self._details,
            "calls": list[Json](extras) if any(extras) else [],
        }
        return {name: value for name, value in found.items() if value} or None


def replayed(body: Body, data: JsonObject | None, field: str) -> Body:
    """Return a message with calls, and with what was kept of its answer.

    Args:
        body: the message.
        data: the ``provider_data`` of the answer; None for one of another model.
        field: the field with the reasoning that the service demands; empty: none.
    """
    known = data or {}
    extras = as_list(known.get("calls"))
    calls = as_list(body.get("tool_calls"))
    if len(extras) == len(calls):
        made: list[Json] = [{**as_object(extra), **as_object(call)} for extra, call in zip(extras, calls, strict=True)]
        body = {**body, "tool_calls": made}
    if field == _DETAILS:
        details = as_list(known.get(_DETAILS))
        return {**body, _DETAILS: list(details)} if details else body
    # A call of another model has none, and the field is demanded all the same.
    return {**body, _CONTENT: as_text(known.get(_CONTENT))} if field == _CONTENT else body
