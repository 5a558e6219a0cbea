"""The blocks of a streamed answer, kept for later requests (Anthropic API: extended thinking, tool use)."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from tgllm.api.events import ToolCall
from tgllm.api.types import Json, JsonObject
from tgllm.providers.json_values import encode_json

__all__ = ["Block", "Blocks"]

_MAX_PROVIDER_DATA = 256 * 2**10
_THOUGHTS = {"thinking", "redacted_thinking"}


@dataclass(slots=True)
class Block:
    """A block under construction."""

    kind: str
    text: str = ""
    """Of a text or of reasoning."""
    proof: str = ""
    """The signature of reasoning, or its encrypted content."""
    id: str = ""
    name: str = ""
    given: Json = None
    """Arguments of a call that came whole, usually an empty object."""
    pieces: list[str] = field(default_factory=list[str])
    """Arguments of a call that came in pieces."""

    @property
    def arguments(self) -> str:
        """Arguments of a call, as JSON."""
        written = "".join(self.pieces)
        if written.strip():
            return written
        return encode_json(self.given).decode() if self.given else "{}"

    @property
    def json(self) -> JsonObject:
        """The block without what the request tells of it anyway: name and arguments of a call."""
        match self.kind:
            case "thinking":
                return {"type": "thinking", "thinking": self.text, "signature": self.proof}
            case "redacted_thinking":
                return {"type": "redacted_thinking", "data": self.proof}
            case "tool_use":
                return {"type": "tool_use", "id": self.id}
            case _:
                return {"type": "text", "text": self.text}


class Blocks:
    """The blocks of one answer, in their order."""

    def __init__(self) -> None:
        self._all: list[Block] = []
        self._by_index: dict[int, Block] = {}

    def __bool__(self) -> bool:
        """Whether there is any block."""
        return bool(self._all)

    def begin(self, index: int, kind: str) -> Block:
        """Begin a block; an index may be used again, as by gateways that don't count."""
        block = Block(kind)
        self._all.append(block)
        self._by_index[index] = block
        return block

    def at(self, index: int, kind: str) -> Block:
        """Return the block that goes on at an index; a new one if its beginning was left out."""
        block = self._by_index.get(index)
        return block if block and block.kind == kind else self.begin(index, kind)

    def skip(self, index: int) -> None:
        """Begin a block that is passed over."""
        self._by_index.pop(index, None)

    def call_at(self, index: int) -> Block | None:
        """Return the call that goes on at an index; None if there is none: without a beginning it has no name."""
        block = self._by_index.get(index)
        return block if block and block.kind == "tool_use" else None

    @property
    def calls(self) -> list[ToolCall]:
        """The calls of tools."""
        return [ToolCall(block.id, block.name, block.arguments) for block in self._of({"tool_use"})]

    def kept(self) -> JsonObject | None:
        """Return what later requests need; None if that is nothing, incomplete, or larger than 256 KiB.

        An answer with calls is kept as it is, since the API takes its reasoning only in its place. Of any other, the
        reasoning is kept, if it comes first: the text is in the conversation.
        """
        thoughts = self._of(_THOUGHTS)
        are_whole = all(block.proof for block in thoughts)
        if self._of({"tool_use"}):
            blocks = [block for block in self._all if are_whole or block.kind not in _THOUGHTS]
            return _within_limit({"blocks": [block.json for block in blocks]})
        if not thoughts or not are_whole or self._all[: len(thoughts)] != thoughts:
            return None
        return _within_limit({"thinking": [block.json for block in thoughts]})

    def _of(self, kinds: set[str]) -> list[Block]:
        return [block for block in self._all if block.kind in kinds]


def _within_limit(data: Mapping[str, Json]) -> JsonObject | None:
    return data if len(encode_json(data)) <= _MAX_PROVIDER_DATA else None
