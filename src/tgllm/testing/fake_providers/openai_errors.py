"""Error bodies of OpenAI's API."""

from tgllm.testing.fake_providers.base.errors import Errors, FakeError

__all__ = ["LlamaErrors", "OpenAIErrors"]


_NO_TOOLS = {
    "openrouter": (404, "No endpoints found that support tool use. To learn more about provider routing, visit: docs"),
    "groq": (400, "`tool calling` is not supported with this model"),
    "vllm": (400, '"auto" tool choice requires --enable-auto-tool-choice and --tool-call-parser to be set'),
    "llama_cpp": (500, "tools param requires --jinja flag"),
    "ollama": (400, "registry.ollama.ai/library/{} does not support tools"),
}


class OpenAIErrors(Errors):
    """Errors in the typical form of OpenAI's API (OpenAI API: error codes); wording and numbers may differ."""

    def wrong_key(self, given: str) -> FakeError:
        """Return 401; like the real API, it repeats the beginning and the end of the key."""
        return _error(401, f"Incorrect API key provided: {given[:2]}***{given[-4:]}.", code="invalid_api_key")

    def rate_limited(self, seconds: float | None = None) -> FakeError:
        """Return 429; the delay, if any, is in Retry-After."""
        headers = {} if seconds is None else {"Retry-After": f"{seconds:g}"}
        return _error(429, "Rate limit reached for requests", "requests", "rate_limit_exceeded", headers=headers)

    def out_of_quota(self) -> FakeError:
        """Return 429: the account has no credit."""
        message = "You exceeded your current quota, please check your plan and billing details."
        return _error(429, message, "insufficient_quota", "insufficient_quota")

    def unknown_model(self, model: str) -> FakeError:
        """Return 404."""
        message = f"The model `{model}` does not exist or you do not have access to it."
        return _error(404, message, code="model_not_found")

    def too_long(self, tokens: int, limit: int) -> FakeError:
        """Return 400 with both numbers."""
        message = (
            f"This model's maximum context length is {limit} tokens. However, your messages resulted in {tokens} "
            "tokens. Please reduce the length of the messages."
        )
        return _error(400, message, code="context_length_exceeded", param="messages")

    def overloaded(self) -> FakeError:
        """Return 503."""
        return _error(503, "The server is currently overloaded. Please try again later.", "service_unavailable_error")

    def internal(self) -> FakeError:
        """Return 500."""
        return _error(500, "The server had an error while processing your request.", "server_error")

    def filtered(self) -> FakeError:
        """Return 400: blocked by the content filter."""
        message = "Invalid prompt: your prompt was flagged as potentially violating our usage policy."
        return _error(400, message, code="invalid_prompt")

    def invalid(self, message: str) -> FakeError:
        """Return 400."""
        return _error(400, message)

    def not_found(self, what: str) -> FakeError:
        """Return 404."""
        return _error(404, f"Invalid URL ({what})")

    def unknown_field(self, name: str) -> FakeError:
        """Return 400: there is no such field."""
        return _error(400, f"Unknown parameter: '{name}'.", code="unknown_parameter", param=name)

    def unsupported_field(self, name: str, instead: str) -> FakeError:
        """Return 400: the model does not take the field."""
        message = f"Unsupported parameter: '{name}' is not supported with this model. Use '{instead}' instead."
        return _error(400, message, code="unsupported_parameter", param=name)

    def unsupported_value(self, name: str, value: object) -> FakeError:
        """Return 400: the model takes the default value only."""
        message = (
            f"Unsupported value: '{name}' does not support {value} with this model. Only the default (1) value is "
            "supported."
        )
        return _error(400, message, code="unsupported_value", param=name)

    def tools_while_reasoning(self, model: str) -> FakeError:
        """Return 400: the model takes tools only without reasoning (reported for GPT-5.4 and later)."""
        message = (
            f"Function tools with reasoning_effort are not supported for {model} in /v1/chat/completions. To use "
            "function tools, use /v1/responses or set reasoning_effort to 'none'."
        )
        return _error(400, message, param="reasoning_effort")

    def no_tools(self, model: str, dialect: str = "openai") -> FakeError:
        """Return the error for a model that takes no tools, in the words of a service of ``DIALECTS``."""
        status, message = _NO_TOOLS.get(dialect, (400, "Tools are not supported by this model."))
        return _error(status, message.format(model))

    def no_images(self) -> FakeError:
        """Return 400: the model reads text only."""
        return _error(400, "Invalid content type. image_url is only supported by certain models.", param="messages")


class LlamaErrors(OpenAIErrors):
    """Errors as llama.cpp's server has been seen to send them."""

    def wrong_key(self, given: str) -> FakeError:
        """Return 401."""
        del given
        return FakeError(401, {"error": {"code": 401, "message": "Invalid API Key", "type": "authentication_error"}})

    def too_long(self, tokens: int, limit: int) -> FakeError:
        """Return 400 with both numbers."""
        message = f"request ({tokens} tokens) exceeds the available context size ({limit} tokens), try increasing it"
        error = {"code": 400, "message": message, "type": "exceed_context_size_error"}
        return FakeError(400, {"error": {**error, "n_prompt_tokens": tokens, "n_ctx": limit}})

    def no_images(self) -> FakeError:
        """Return 500."""
        hint = "image input is not supported - hint: if this is unexpected, you may need to provide the mmproj"
        return FakeError(500, {"error": {"code": 500, "message": hint, "type": "server_error"}})

    def loading(self) -> FakeError:
        """Return 503: the model is being loaded."""
        return FakeError(503, {"error": {"code": 503, "message": "Loading model", "type": "unavailable_error"}})


def _error(
    status: int,
    message: str,
    kind: str = "invalid_request_error",
    code: str | None = None,
    *,
    param: str | None = None,
    headers: dict[str, str] | None = None,
) -> FakeError:
    return FakeError(status, {"error": {"message": message, "type": kind, "param": param, "code": code}}, headers or {})
