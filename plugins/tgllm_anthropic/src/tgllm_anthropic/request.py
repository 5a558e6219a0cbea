"""Requests of the Messages API (Anthropic API: messages, extended thinking, effort, prompt caching)."""

from collections.abc import Mapping
from dataclasses import dataclass

from tgllm.api.errors import Unsupported
from tgllm.api.types import ChatRequest, FilePart, JsonObject, ReasoningEffort
from tgllm.providers.attachments import IMAGE_TYPES, check_size, unsupported
from tgllm.providers.encoding.retelling import retold
from tgllm.providers.json_values import as_text
from tgllm_anthropic.messages import Body, begins_with_thought, messages_of
from tgllm_anthropic.models import PDF, Abilities
from tgllm_anthropic.settings import TAKES_TEMPERATURE, Settings
from tgllm_anthropic.tools import fields_of, is_forced

__all__ = ["Encoder", "wanted_fields"]

_BUDGETS: Mapping[ReasoningEffort, int] = {"low": 1024, "medium": 8192, "high": 24_576}
"""Tokens of reasoning, for models without ``adaptive`` thinking."""
_MIN_BUDGET = 1024
_ANSWER_TOKENS = 1024
"""Tokens that a budget leaves to the answer."""
_MAX_IMAGE = 3_750_000
"""Bytes; 5 MB in base64."""
_MAX_FILES = 24_000_000
"""Bytes; a request has at most 32 MB, in base64."""
_LONG_WINDOW = 1_000_000
_PAGES, _LONG_PAGES = 100, 600
"""Maximum pages of a PDF, for models with windows of 200,000 and of a million tokens."""


@dataclass(frozen=True, slots=True)
class Encoder:
    """Encoder of the requests to one model."""

    settings: Settings
    abilities: Abilities

    def check(self, request: ChatRequest) -> None:
        """Refuse what the API would reject with a less clear message, or not at all.

        Raises:
            Unsupported: a file or a setting is not supported.
        """
        files = [part for message in request.messages for part in message.parts if isinstance(part, FilePart)]
        for file in files:
            self._check_file(file, request.model)
        if sum(file.size for file in files) > _MAX_FILES:
            raise Unsupported(f"the files of a conversation may have {_MAX_FILES} bytes together, and these have more")
        self._check_temperature(request)
        if is_forced(request) and not self.abilities.forced:
            raise Unsupported(f"{request.model} decides itself whether it calls a tool")

    def body(self, request: ChatRequest, *, replay: bool) -> Body:
        """Encode a request; ``replay`` tells whether answers are sent with their reasoning."""
        cache = self._cache
        limit = self._limit(request)
        body: Body = {
            **self.counted(request, replay=replay),
            "max_tokens": limit,
            "stream": True,
        }
        # A mark of its own for the beginning that conversations have in common: the tools, then the system message.
        if request.system and cache:
            body["system"] = [{"type": "text", "text": request.system, "cache_control": cache}]
        elif cache:
            body |= fields_of(request, mark=cache)
        optional: Body = {
            "cache_control": cache,
            "temperature": request.temperature,
            "output_config": self._effort(request),
            "metadata": {"user_id": request.user_key} if request.user_key else None,
        }
        return {**body, **{name: value for name, value in optional.items() if value is not None}}

    def counted(self, request: ChatRequest, *, replay: bool) -> Body:
        """Encode the parts of a request that the API counts as its tokens."""
        thinking = self._thinking(request)
        messages = self._messages(request, thinking, replay=replay)
        if _kind(thinking) == "enabled" and not begins_with_thought(messages):
            # An answer that began without reasoning, as one of another model, has to end without it.
            thinking = None
            messages = self._messages(request, thinking, replay=False)
        body: Body = {"model": request.model, "messages": [*messages], **fields_of(request)}
        if request.system:
            body["system"] = request.system
        return {**body, "thinking": thinking} if thinking else body

    def _messages(self, request: ChatRequest, thinking: JsonObject | None, *, replay: bool) -> list[Body]:
        # The API takes calls and results only with the tools.
        messages = request.messages if request.tools else retold(request.messages)
        return messages_of(
            messages,
            thoughts=replay and _is_thinking(thinking),
            thoughts_of_calls=replay and _kind(thinking) != "disabled",
        )

    # --- files ----------------------------------------------------------------------------

    def _check_file(self, file: FilePart, model: str) -> None:
        known = self.abilities.mime_types
        if file.mime_type not in (IMAGE_TYPES | {PDF} if known is None else known):
            raise unsupported(file, model)
        if file.mime_type in IMAGE_TYPES:
            check_size(file, _MAX_IMAGE)
        most = _LONG_PAGES if (self.abilities.window or 0) >= _LONG_WINDOW else _PAGES
        if file.pages and file.pages > most:
            raise Unsupported(f"the PDF is too long for {model} (pages: {file.pages}, maximum: {most})", mime_type=PDF)

    # --- settings -------------------------------------------------------------------------

    @property
    def _cache(self) -> Body | None:
        match self.settings.cache:
            case "off":
                return None
            case "5m":
                return {"type": "ephemeral"}
            case ttl:
                return {"type": "ephemeral", "ttl": ttl}

    def _limit(self, request: ChatRequest) -> int:
        most = self.abilities.output
        return request.max_output_tokens or min(
            self.settings.max_output_tokens, most or self.settings.max_output_tokens
        )

    def _thinking(self, request: ChatRequest) -> Body | None:
        """Return the field ``thinking``; None for the model's default.

        Raises:
            Unsupported: the model does not support the reasoning effort.
        """
        can, effort, model = self.abilities, request.reasoning_effort, request.model
        if effort is None and not (can.is_on and "adaptive" in can.thinking):
            return None
        if effort == "none":
            return self._off(model)
        if is_forced(request) and "adaptive" not in can.thinking:
            # With a budget of reasoning, the API takes no forced choice.
            return None
        if "adaptive" in can.thinking:
            # Without this, recent models reason without showing it.
            return {"type": "adaptive", "display": "summarized"}
        if effort is None or "enabled" not in can.thinking:
            raise Unsupported(f"{model} does not reason")
        budget = min(_BUDGETS[effort], self._limit(request) - _ANSWER_TOKENS)
        if budget < _MIN_BUDGET:
            raise Unsupported(f"reasoning of {model} needs an output limit of {_MIN_BUDGET + _ANSWER_TOKENS} tokens")
        return {"type": "enabled", "budget_tokens": budget}

    def _off(self, model: str) -> Body | None:
        can = self.abilities
        if not can.is_on:
            return {"type": "disabled"} if "disabled" in can.thinking else None
        for kind in ("disabled", "between_tools"):
            if kind in can.thinking:
                return {"type": kind}
        if can.thinking:
            raise Unsupported(f"{model} can't answer without reasoning")
        return None

    def _effort(self, request: ChatRequest) -> Body | None:
        effort = request.reasoning_effort
        if effort in {None, "none"} or "adaptive" not in self.abilities.thinking:
            return None
        if effort not in self.abilities.efforts:
            raise Unsupported(f"{request.model} has no reasoning effort {effort}")
        return {"effort": effort}

    def _check_temperature(self, request: ChatRequest) -> None:
        given = request.temperature
        if given is None:
            return
        if not self.abilities.temperature or self.settings.api_version > TAKES_TEMPERATURE:
            raise Unsupported(f"{request.model} takes no temperature")
        if given > 1:
            raise Unsupported("Anthropic takes a temperature of 1 at most")
        if given != 1 and _is_thinking(self._thinking(request)):
            raise Unsupported(f"{request.model} takes no temperature while it reasons: choose one of the two")


def wanted_fields(request: ChatRequest) -> frozenset[str]:
    """Return the fields of a body that a person has asked for: the request can't be sent without them."""
    asked = {
        "temperature": request.temperature is not None,
        "thinking": request.reasoning_effort is not None,
        "reasoning_effort": request.reasoning_effort is not None,
        "output_config": request.reasoning_effort is not None,
        "tools": bool(request.tools),
        "tool_choice": bool(request.tools),
        "system": True,
        "stream": True,
    }
    return frozenset(name for name, is_asked in asked.items() if is_asked)


def _kind(thinking: JsonObject | None) -> str:
    return as_text((thinking or {}).get("type"))


def _is_thinking(thinking: JsonObject | None) -> bool:
    return _kind(thinking) in {"adaptive", "enabled"}
