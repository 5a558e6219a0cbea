"""Providers of the bundled packages under test, with tgllm's fake servers as their services."""

from collections.abc import Mapping, Sequence
from typing import Any, ClassVar

from pydantic.alias_generators import to_snake

from tgllm.api.types import FinishReason, ModelInfo, ToolCallPart, ToolDefinition, ToolResultPart
from tgllm.testing.conformance.fake_under_test import FakeUnderTest
from tgllm.testing.conformance.tools_seen import SeenTools
from tgllm.testing.fake_providers import FakeAnthropic, FakeDipseek, FakeGemini, FakeMistral, FakeOpenAI
from tgllm.testing.fake_providers.base.server import GATEWAY

__all__ = [
    "AnthropicUnderTest",
    "DipseekUnderTest",
    "FakeUnderTest",
    "GeminiUnderTest",
    "MistralUnderTest",
    "OpenAIUnderTest",
]

_URL_ALPHABET = str.maketrans("+/", "-_")
_PAGE = 50
_IMAGE_TYPES = frozenset({"image/png", "image/jpeg"})


class AnthropicUnderTest(FakeUnderTest[FakeAnthropic]):
    """Anthropic's Messages API."""

    model = "claude-sonnet-5-5"
    fake_type = FakeAnthropic
    garbage = b'event: content_block_delta\ndata: {"type": broken\n\n'
    finish_words: ClassVar[Mapping[FinishReason, str]] = {
        "stop": "end_turn",
        "length": "max_tokens",
        "filtered": "refusal",
        "other": "compaction",
    }
    counts: ClassVar[frozenset[str]] = FakeUnderTest.counts | {"cache_write_tokens"}

    def saw_roles(self) -> Sequence[tuple[str, str]]:
        """Return role and text of each message, with the system message first."""
        body: Any = self.sent()
        system = body.get("system")
        first = [("system", system if isinstance(system, str) else _text({"parts": system}))] if system else []
        return [*first, *((one["role"], _text({"parts": one["content"]})) for one in body["messages"])]

    def models(self) -> Sequence[ModelInfo]:
        """Add models, and let the list have several pages."""
        self.fake.max_page_size = _PAGE
        return super().models()

    def listed(self, model: str, entry: Mapping[str, Any]) -> ModelInfo:
        """Return title, limits and capabilities of a model."""
        can = entry["capabilities"]
        files = _IMAGE_TYPES | {"application/pdf"} if can["image_input"]["supported"] else frozenset[str]()
        return ModelInfo(
            model,
            title=entry["display_name"],
            context_window=entry["max_input_tokens"],
            max_output_tokens=entry["max_tokens"],
            mime_types=files,
            reasoning=can["thinking"]["supported"],
        )

    def refuse_tools(self) -> None:
        """Do nothing: all models of the API take tools."""
        raise NotImplementedError

    def saw_tools(self) -> SeenTools:
        """Return the tools in the last request for an answer."""
        body: Any = self.sent()
        choice = body.get("tool_choice") or {"type": "auto"}
        kinds = {"any": "required", "tool": f"tool:{choice.get('name')}"}
        tools = (
            ToolDefinition(one["name"], one["description"], one["input_schema"]) for one in body.get("tools") or ()
        )
        kind = kinds.get(choice["type"], choice["type"])
        return SeenTools(tuple(tools), kind, choice.get("disable_parallel_tool_use") is not True)

    def saw_calls(self) -> Sequence[ToolCallPart | ToolResultPart]:
        """Return the calls and results in the last request for an answer; results have no name."""
        body: Any = self.sent()
        found: list[ToolCallPart | ToolResultPart] = []
        for block in (block for message in body["messages"] for block in message["content"]):
            if block["type"] == "tool_use":
                found.append(ToolCallPart(block["id"], block["name"], block["input"]))
            elif block["type"] == "tool_result":
                failed = block.get("is_error") is True
                found.append(ToolResultPart(block["tool_use_id"], "", block.get("content", ""), failed))
        return found

    def to_replay(self) -> str | None:
        """Return the signature of the last answer's reasoning."""
        return self.fake.signatures.last


class MistralUnderTest(FakeUnderTest[FakeMistral]):
    """The Mistral API, which reports no reasoning tokens and has no content filter in an answer."""

    model = "mistral-medium-3-5"
    fake_type = FakeMistral
    finish_words: ClassVar[Mapping[FinishReason, str]] = {"stop": "stop", "length": "length", "other": "tool_calls"}
    counts: ClassVar[frozenset[str]] = frozenset({"input_tokens", "output_tokens", "cached_tokens"})

    def listed(self, model: str, entry: Mapping[str, Any]) -> ModelInfo:
        """Return context window and capabilities of a model."""
        can = entry["capabilities"]
        images = _IMAGE_TYPES if can["vision"] else frozenset[str]()
        window = entry["max_context_length"]
        return ModelInfo(model, context_window=window, mime_types=images, reasoning=can["reasoning"])

    def is_chat_model(self, entry: Mapping[str, Any]) -> bool:
        """Return whether it completes chats."""
        return entry["capabilities"]["completion_chat"]


class DipseekUnderTest(FakeUnderTest[FakeDipseek]):
    """The DeepSeek API."""

    model = "deepseek-flash"
    fake_type = FakeDipseek


class OpenAIUnderTest(FakeUnderTest[FakeOpenAI]):
    """A service with OpenAI's format that takes every field, and sends reasoning in ``reasoning_content``."""

    model = "large"
    fake_type = FakeOpenAI
    counts: ClassVar[frozenset[str]] = FakeUnderTest.counts | {"cache_write_tokens"}

    def __init__(self) -> None:
        """Create the fake server; ``__aenter__`` starts it."""
        super().__init__()
        self.fake = FakeOpenAI("plain", write_bytes=1)

    def addresses(self) -> Mapping[str, Mapping[str, object]]:
        """Return settings with a slash after the base URL, without its version, and with the path of a gateway."""
        root = self.fake.base_url.removesuffix("/v1")
        self.fake.gateway_key = f"{self.fake.key}-of-the-gateway"
        below = {**self.settings, self.key_setting: self.fake.gateway_key}
        return {
            "a slash at the end": {**self.settings, "base_url": f"{self.fake.base_url}/"},
            "without a path": {**self.settings, "base_url": root},
            "a path": {**below, "base_url": f"{root}{GATEWAY}/v1"},
            "a path with a slash": {**below, "base_url": f"{root}{GATEWAY}/v1/"},
        }

    def listed(self, model: str, entry: Mapping[str, Any]) -> ModelInfo:
        """Return the context window of a model."""
        return ModelInfo(model, context_window=entry["max_model_len"])

    def to_replay(self) -> str | None:
        """Return nothing: the service takes no reasoning back."""
        return None


class GeminiUnderTest(FakeUnderTest[FakeGemini]):
    """The Gemini API, with an API key (not Vertex AI)."""

    model = "gemini-3.8-flash"
    fake_type = FakeGemini
    garbage = b'data: {"candidates": [broken\r\n\r\n'
    finish_words: ClassVar[Mapping[FinishReason, str]] = {
        "stop": "STOP",
        "length": "MAX_TOKENS",
        "filtered": "SAFETY",
        "other": "OTHER",
    }

    def saw(self, text: str) -> bool:
        """Return whether the last request contained the text, in either base64 alphabet (protobuf JSON allows both)."""
        return super().saw(text) or super().saw(text.translate(_URL_ALPHABET))

    def saw_roles(self) -> Sequence[tuple[str, str]]:
        """Return role and text of each content, with the system instruction first."""
        body: Any = self.sent()
        system = body.get("systemInstruction")
        first = [("system", _text(system))] if system else []
        names = {"model": "assistant"}
        contents: list[dict[str, Any]] = body["contents"]
        return [*first, *((names.get(one["role"], str(one["role"])), _text(one)) for one in contents)]

    def models(self) -> Sequence[ModelInfo]:
        """Add models, and let the list have several pages."""
        self.fake.max_page_size = _PAGE
        return super().models()

    def listed(self, model: str, entry: Mapping[str, Any]) -> ModelInfo:
        """Return title and limits of a model."""
        return ModelInfo(
            model,
            title=entry["displayName"],
            context_window=entry["inputTokenLimit"],
            max_output_tokens=entry["outputTokenLimit"],
        )

    def is_chat_model(self, entry: Mapping[str, Any]) -> bool:
        """Return whether it generates text."""
        return "generateContent" in entry["supportedGenerationMethods"] and "tts" not in entry["name"]

    def saw_tools(self) -> SeenTools:
        """Return the tools in the last request for an answer; the API has no field for calls one by one."""
        body: Any = self.sent()
        found = [one for tool in body.get("tools") or () for one in _field(tool, "functionDeclarations")]
        tools = [ToolDefinition(one["name"], one["description"], _field(one, "parametersJsonSchema")) for one in found]
        config = _field(body.get("toolConfig") or {"functionCallingConfig": {}}, "functionCallingConfig")
        named = config.get("allowedFunctionNames") or config.get("allowed_function_names")
        mode = str(config.get("mode", "AUTO")).lower().replace("any", "required")
        return SeenTools(tuple(tools), f"tool:{named[0]}" if named else mode)

    def saw_calls(self) -> Sequence[ToolCallPart | ToolResultPart]:
        """Return the calls and results in the last request for an answer."""
        body: Any = self.sent()
        found: list[ToolCallPart | ToolResultPart] = []
        for part in (part for content in body["contents"] for part in content["parts"]):
            if call := part.get("functionCall"):
                found.append(ToolCallPart(call.get("id", ""), call["name"], call.get("args", {})))
            elif result := part.get("functionResponse"):
                ((kind, text),) = result["response"].items()
                found.append(ToolResultPart(result.get("id", ""), result["name"], text, kind == "error"))
        return found

    def to_replay(self) -> str | None:
        """Return the thought signature of the last answer."""
        return self.fake.signatures.last


def _text(content: Any) -> str:  # noqa: ANN401  JSON of any form
    return "".join(part.get("text", "") for part in content["parts"])


def _field(place: Any, name: str) -> Any:  # noqa: ANN401  JSON of any form
    """Return a field by its name, which Google's SDK writes in one of two ways."""
    return place[name] if name in place else place[to_snake(name)]
