"""Client of the HTTP server of a child."""

from typing import ClassVar

from tgllm.api.clock import Clock
from tgllm.api.types import ChatRequest, FilePart
from tgllm.providers.attachments import unsupported
from tgllm.providers.http import ProviderHttp
from tgllm.providers.openai_chat import Body, OpenAIChatClient, given
from tgllm.providers.retry import Retry

__all__ = ["LlamaClient"]


class LlamaClient(OpenAIChatClient):
    """Client of llama.cpp's chat completions. It makes one attempt, because a further one may need a new child."""

    chat_path = "/v1/chat/completions"
    supports_tools: ClassVar[bool] = True

    def __init__(self, base_url: str, key: str, clock: Clock, idle_seconds: float) -> None:
        """Create the client; nothing is sent yet."""
        # The toolkit knows llama.cpp's errors.
        http = ProviderHttp(base_url, headers={"Authorization": f"Bearer {key}"}, idle_seconds=idle_seconds)
        super().__init__(http, clock, retry=Retry(clock, attempts=1))

    def settings(self, request: ChatRequest) -> Body:
        """Return the fields except model, messages and stream."""
        return given(
            stream_options={"include_usage": True},
            temperature=request.temperature,
            max_tokens=request.max_output_tokens,
            reasoning_effort=request.reasoning_effort,
        )

    def tools(self, request: ChatRequest) -> Body:
        """Return the fields about tools; llama.cpp lets a model make several calls at once only if it is asked to."""
        return {**super().tools(request), "parallel_tool_calls": request.parallel_tools}

    def file(self, part: FilePart, model: str) -> Body:
        """Refuse a file: the models read text only."""
        raise unsupported(part, model)
