"""Request body of the Messages API. Source: Anthropic's API reference and SDK."""

import json
from collections.abc import Iterator
from typing import Annotated, Any, Literal, TypeAlias

from pydantic import BaseModel, ConfigDict, Field

from tgllm.testing.fake_providers.anthropic_api.tools import Tool, ToolChoice, ToolResultBlock, ToolUseBlock

__all__ = [
    "Block",
    "CountBody",
    "DocumentBlock",
    "ImageBlock",
    "Message",
    "MessagesBody",
    "RedactedBlock",
    "TextBlock",
    "ThinkingBlock",
]


class _Strict(BaseModel):
    model_config = ConfigDict(extra="forbid")


class CacheControl(_Strict):
    """Mark of the end of a part that is cached."""

    type: Literal["ephemeral"]
    ttl: Literal["5m", "1h"] = "5m"


class Source(_Strict):
    """Content of a file."""

    type: Literal["base64", "text", "url", "file", "content"]
    media_type: str | None = None
    data: str | None = None
    url: str | None = None
    file_id: str | None = None
    content: Any = None


class TextBlock(_Strict):
    """Text."""

    type: Literal["text"]
    text: str
    cache_control: CacheControl | None = None
    citations: Any = None


class ImageBlock(_Strict):
    """A picture."""

    type: Literal["image"]
    source: Source
    cache_control: CacheControl | None = None


class DocumentBlock(_Strict):
    """A document."""

    type: Literal["document"]
    source: Source
    title: str | None = None
    context: str | None = None
    citations: Any = None
    cache_control: CacheControl | None = None


class ThinkingBlock(_Strict):
    """Reasoning of an earlier answer."""

    type: Literal["thinking"]
    thinking: str
    signature: str


class RedactedBlock(_Strict):
    """Encrypted reasoning of an earlier answer."""

    type: Literal["redacted_thinking"]
    data: str


Block: TypeAlias = (
    TextBlock | ImageBlock | DocumentBlock | ThinkingBlock | RedactedBlock | ToolUseBlock | ToolResultBlock
)
_Blocks = list[Annotated[Block, Field(discriminator="type")]]


class Message(_Strict):
    """A message."""

    role: Literal["user", "assistant"]
    content: str | _Blocks

    @property
    def blocks(self) -> list[Block]:
        """The content as blocks."""
        return [TextBlock(type="text", text=self.content)] if isinstance(self.content, str) else self.content


class Thinking(_Strict):
    """Settings of the reasoning."""

    type: Literal["adaptive", "enabled", "disabled", "between_tools"]
    budget_tokens: int | None = None
    display: Literal["summarized", "omitted"] | None = None


class OutputConfig(_Strict):
    """Settings of the output."""

    effort: Literal["low", "medium", "high", "xhigh", "max"] | None = None
    format: Any = None


class Metadata(_Strict):
    """Description of the person who asks."""

    user_id: str | None = Field(default=None, max_length=256)


class CountBody(_Strict):
    """Request for a count of tokens, and what it has in common with one for an answer."""

    model: str
    messages: list[Message] = Field(min_length=1)
    system: str | list[TextBlock] = ""
    thinking: Thinking | None = None
    output_config: OutputConfig | None = None
    cache_control: CacheControl | None = None
    tools: list[Tool] | None = None
    tool_choice: ToolChoice | None = None

    @property
    def system_text(self) -> str:
        """The system message."""
        return self.system if isinstance(self.system, str) else "".join(block.text for block in self.system)

    @property
    def blocks(self) -> Iterator[tuple[str, Block]]:
        """The blocks of all messages, each with its place as in error messages."""
        for number, message in enumerate(self.messages):
            for index, block in enumerate(message.blocks):
                yield f"messages.{number}.content.{index}", block

    @property
    def text(self) -> str:
        """All text: that of the tools, of the system message, and of the conversation."""
        tools = "".join(tool.model_dump_json(exclude_none=True) for tool in self.tools or ())
        return tools + self.system_text + "".join(_text(block) for _, block in self.blocks)

    @property
    def question(self) -> str:
        """The text of the last message, or of the last ones if they are all of the user."""
        return "".join(block.text for block in self.messages[-1].blocks if isinstance(block, TextBlock))

    @property
    def marks(self) -> int:
        """Number of marks for the cache."""
        system = self.system if isinstance(self.system, list) else []
        blocks = [
            *system,
            *(self.tools or ()),
            *(block for _, block in self.blocks if not isinstance(block, ThinkingBlock | RedactedBlock)),
        ]
        return sum(block.cache_control is not None for block in blocks) + (self.cache_control is not None)


class MessagesBody(CountBody):
    """Request for an answer."""

    max_tokens: int = Field(ge=1)
    stream: bool = False
    temperature: float | None = Field(default=None, ge=0, le=1)
    top_p: float | None = Field(default=None, ge=0, le=1)
    top_k: int | None = Field(default=None, ge=0)
    stop_sequences: list[str] | None = None
    metadata: Metadata | None = None
    service_tier: Literal["auto", "standard_only"] | None = None


def _text(block: Block) -> str:
    match block:
        case TextBlock():
            return block.text
        case ToolUseBlock():
            return block.name + json.dumps(block.input, ensure_ascii=False)
        case ToolResultBlock():
            return block.content if isinstance(block.content, str) else "".join(each.text for each in block.content)
        case _:
            return ""
