"""How services with OpenAI's format differ from OpenAI and from each other.

Sources: the documentation and SDK of OpenAI; the documentation of OpenRouter, Groq, Together AI, xAI, Ollama,
llama.cpp (tools/server), LM Studio and vLLM; catalogues of models.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Literal

__all__ = ["DIALECTS", "Dialect", "FakeModel"]


@dataclass(frozen=True, slots=True)
class FakeModel:
    """A model of the fake server."""

    id: str
    context_window: int
    vision: bool = False
    reasoning: bool = False
    fixed: bool = False
    """Whether it refuses ``max_tokens``, a temperature, and tools while it reasons, as OpenAI's reasoning models do."""
    tools: bool = True
    """Whether it calls tools, where the list of models tells."""


@dataclass(frozen=True, slots=True)
class Dialect:
    """A service's variant of the format."""

    name: str
    entry: Callable[[FakeModel], Mapping[str, Any]]
    """Fields of an entry of the list of models besides ``id``, ``object`` and ``owned_by``."""
    needs_key: bool = True
    is_bare_list: bool = False
    """The list of models is a JSON array, without an object around it."""
    models_path: str = "/models"
    reasoning: Literal["", "reasoning", "reasoning_content", "tags"] = "reasoning_content"
    """Field of a delta with the reasoning; ``tags``: inside the text."""
    fields: frozenset[str] | None = None
    """Fields that a request may have; None: unknown ones are ignored."""
    usage: Literal["asked", "always"] = "asked"
    """``asked``: in a chunk of its own, with ``include_usage`` only; ``always``: with the finish reason."""
    excludes_reasoning: bool = False
    """``completion_tokens`` is without the reasoning."""
    keep_alive: bytes = b": keep-alive\n\n"
    local: Literal["", "llama_cpp", "ollama", "lm_studio"] = ""


_OPENAI_FIELDS = frozenset(
    {
        "model",
        "messages",
        "stream",
        "stream_options",
        "temperature",
        "top_p",
        "n",
        "stop",
        "seed",
        "max_tokens",
        "max_completion_tokens",
        "reasoning_effort",
        "user",
        "safety_identifier",
        "prompt_cache_key",
        "response_format",
        "tools",
        "tool_choice",
        "parallel_tool_calls",
        "frequency_penalty",
        "presence_penalty",
        "logit_bias",
        "logprobs",
        "top_logprobs",
        "metadata",
        "store",
        "service_tier",
        "verbosity",
    }
)
_GROQ_FIELDS = (_OPENAI_FIELDS - {"safety_identifier", "store", "verbosity"}) | {
    "reasoning_format",
    "include_reasoning",
}


def _ids(_model: FakeModel) -> Mapping[str, Any]:
    return {"created": 1_790_000_000}


def _openrouter(model: FakeModel) -> Mapping[str, Any]:
    return {
        "name": f"Vendor: {model.id}",
        "context_length": model.context_window,
        "architecture": {"input_modalities": _inputs(model), "output_modalities": ["text"]},
        "pricing": {"prompt": "0.00000015", "completion": "0.0000006", "input_cache_read": "0.000000015"},
        "top_provider": {"context_length": model.context_window, "max_completion_tokens": 8192},
        "supported_parameters": [
            "temperature",
            "max_tokens",
            *(["reasoning"] if model.reasoning else []),
            *(["tools", "tool_choice"] if model.tools else []),
        ],
    }


def _groq(model: FakeModel) -> Mapping[str, Any]:
    return {"active": True, "context_window": model.context_window, "max_completion_tokens": 8192}


def _together(model: FakeModel) -> Mapping[str, Any]:
    pricing = {"input": 0.15, "output": 0.6}
    return {"type": "chat", "context_length": model.context_window, "pricing": pricing}


def _xai(model: FakeModel) -> Mapping[str, Any]:
    return {
        "input_modalities": _inputs(model),
        "output_modalities": ["text"],
        "prompt_text_token_price": 20_000,
        "cached_prompt_text_token_price": 5_000,
        "completion_text_token_price": 100_000,
    }


def _huggingface(model: FakeModel) -> Mapping[str, Any]:
    hosts = [("a", 0.1, 0.3), ("b", 0.2, 0.6)]
    return {
        "providers": [
            {
                "provider": name,
                "status": "live",
                "context_length": model.context_window,
                "pricing": {"input": read, "output": written},
                "supports_tools": model.tools,
            }
            for name, read, written in hosts
        ]
    }


def _vllm(model: FakeModel) -> Mapping[str, Any]:
    return {"max_model_len": model.context_window, "root": model.id}


def _inputs(model: FakeModel) -> list[str]:
    return ["text", "image"] if model.vision else ["text"]


DIALECTS: Mapping[str, Dialect] = {
    each.name: each
    for each in (
        Dialect("openai", _ids, reasoning="", fields=_OPENAI_FIELDS),
        Dialect(
            "openrouter", _openrouter, reasoning="reasoning", usage="always", keep_alive=b": OPENROUTER PROCESSING\n\n"
        ),
        Dialect("groq", _groq, reasoning="reasoning", fields=_GROQ_FIELDS),
        Dialect("together", _together, is_bare_list=True, usage="always"),
        Dialect("xai", _xai, models_path="/language-models", excludes_reasoning=True, usage="always"),
        Dialect("huggingface", _huggingface),
        Dialect("minimax", _ids, reasoning="tags"),
        Dialect("plain", _vllm),
        Dialect("vllm", _vllm, needs_key=False, reasoning="reasoning"),
        Dialect("llama_cpp", _ids, needs_key=False, local="llama_cpp"),
        Dialect("ollama", _ids, needs_key=False, reasoning="reasoning", local="ollama"),
        Dialect("lm_studio", _ids, needs_key=False, local="lm_studio"),
    )
}
"""The dialects by name. ``plain`` is a strict server's opposite: it takes everything, and needs a key."""
