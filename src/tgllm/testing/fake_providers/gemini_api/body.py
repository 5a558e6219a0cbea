"""Request bodies of the Gemini API, with names in camelCase or snake_case; unknown names are refused.

Source: the reference of ``models.generateContent`` and ``models.countTokens`` on ai.google.dev.
"""

from typing import Any, Literal

from pydantic import BaseModel, ConfigDict
from pydantic.alias_generators import to_camel

from tgllm.testing.fake_providers.gemini_api.tools import FunctionCall, FunctionResponse, Tool, ToolConfig

__all__ = ["Content", "CountBody", "GenerateBody", "Part", "Thinking", "UploadBody"]


class _Message(BaseModel):
    model_config = ConfigDict(extra="forbid", alias_generator=to_camel, populate_by_name=True)


class Blob(_Message):
    """Bytes within the request, in base64."""

    mime_type: str
    data: str
    display_name: str | None = None


class FileData(_Message):
    """An uploaded file."""

    file_uri: str
    mime_type: str | None = None
    display_name: str | None = None


class Part(_Message):
    """A part of a content; one of its data fields is set."""

    text: str | None = None
    thought: bool = False
    thought_signature: str | None = None
    inline_data: Blob | None = None
    file_data: FileData | None = None
    function_call: FunctionCall | None = None
    function_response: FunctionResponse | None = None
    executable_code: dict[str, Any] | None = None
    code_execution_result: dict[str, Any] | None = None
    video_metadata: dict[str, Any] | None = None
    media_resolution: Any = None
    part_metadata: dict[str, Any] | None = None

    @property
    def has_data(self) -> bool:
        """Whether a data field is set."""
        data = (self.text, self.inline_data, self.file_data, self.function_call, self.function_response)
        return any(field is not None for field in (*data, self.executable_code, self.code_execution_result))


class Content(_Message):
    """A message."""

    role: str | None = None
    parts: list[Part] = []

    @property
    def text(self) -> str:
        """Its text without thoughts."""
        return "".join(part.text or "" for part in self.parts if not part.thought)


class Thinking(_Message):
    """Settings of the reasoning, and whether it is part of the answer."""

    include_thoughts: bool = False
    thinking_budget: int | None = None
    thinking_level: Literal["MINIMAL", "LOW", "MEDIUM", "HIGH", "XHIGH"] | None = None


class GenerationConfig(_Message):
    """Settings of an answer."""

    temperature: float | None = None
    top_p: float | None = None
    top_k: float | None = None
    max_output_tokens: int | None = None
    stop_sequences: list[str] | None = None
    candidate_count: int | None = None
    response_mime_type: str | None = None
    response_schema: dict[str, Any] | None = None
    response_json_schema: Any = None
    response_modalities: list[str] | None = None
    seed: int | None = None
    presence_penalty: float | None = None
    frequency_penalty: float | None = None
    media_resolution: str | None = None
    image_config: dict[str, Any] | None = None
    speech_config: dict[str, Any] | None = None
    thinking_config: Thinking | None = None


class GenerateBody(_Message):
    """The body of ``generateContent`` and ``streamGenerateContent``."""

    contents: list[Content] = []
    system_instruction: Content | None = None
    generation_config: GenerationConfig | None = None
    safety_settings: list[dict[str, Any]] | None = None
    tools: list[Tool] | None = None
    tool_config: ToolConfig | None = None
    cached_content: str | None = None
    labels: dict[str, str] | None = None
    model: str | None = None

    @property
    def thinking(self) -> Thinking:
        """Settings of the reasoning."""
        config = self.generation_config
        return (config.thinking_config if config else None) or Thinking()

    @property
    def modalities(self) -> list[str]:
        """The wanted kinds of output; empty for the model's default."""
        config = self.generation_config
        return (config.response_modalities if config else None) or []

    @property
    def question(self) -> str:
        """Text of the user's last message."""
        return next((content.text for content in reversed(self.contents) if content.role != "model"), "")

    @property
    def all_contents(self) -> list[Content]:
        """The messages, with the system instruction first."""
        return [self.system_instruction, *self.contents] if self.system_instruction else self.contents

    @property
    def text(self) -> str:
        """Text of all messages."""
        return "".join(content.text for content in self.all_contents)

    @property
    def parts(self) -> list[Part]:
        """Parts of all messages."""
        return [part for content in self.all_contents for part in content.parts]


class _Upload(BaseModel):
    model_config = ConfigDict(alias_generator=to_camel, populate_by_name=True)

    display_name: str = ""


class UploadBody(BaseModel):
    """The body of the request that starts an upload."""

    file: _Upload = _Upload()


class CountBody(_Message):
    """The body of ``countTokens``: only contents, or a whole request."""

    contents: list[Content] = []
    generate_content_request: GenerateBody | None = None

    @property
    def request(self) -> GenerateBody:
        """The request to count."""
        return self.generate_content_request or GenerateBody(contents=self.contents)
