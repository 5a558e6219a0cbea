"""Models of the fake server. Sources: Anthropic's documentation (models, extended thinking) and SDK (models)."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

__all__ = ["MODELS", "FakeModel"]


@dataclass(frozen=True, slots=True)
class FakeModel:
    """A model, with what it accepts."""

    id: str
    title: str = ""
    window: int = 1_000_000
    output: int = 128_000
    thinking: frozenset[str] = frozenset({"adaptive", "disabled"})
    """Accepted values of ``thinking.type``."""
    is_on: bool = True
    """Whether it reasons without the field ``thinking``."""
    shows: bool = False
    """Whether it shows its reasoning without ``display``."""
    efforts: frozenset[str] = frozenset({"low", "medium", "high", "xhigh", "max"})
    temperature: bool = False
    """Whether it takes a temperature, with the version 2023-06-01."""
    prefill: bool = False
    """Whether the last message may be an answer."""
    binds: bool = True
    """Whether a signature is valid for this model only."""
    files: bool = True
    forced: bool = True
    """Whether it can be forced to call a tool."""

    @property
    def entry(self) -> dict[str, Any]:
        """The entry in the list of models."""
        types = {name: _can(name in self.thinking) for name in ("adaptive", "between_tools", "disabled", "enabled")}
        levels = {name: _can(name in self.efforts) for name in ("high", "low", "max", "medium", "xhigh")}
        return {
            "type": "model",
            "id": self.id,
            "display_name": self.title or self.id.replace("-", " ").title(),
            "created_at": "2026-09-28T00:00:00Z",
            "lifecycle": "active",
            "max_input_tokens": self.window,
            "max_tokens": self.output,
            "capabilities": {
                "batch": _can(True),
                "citations": _can(True),
                "code_execution": _can(False),
                "context_management": {"supported": False},
                "effort": {"supported": bool(self.efforts), **levels},
                "image_input": _can(self.files),
                "pdf_input": _can(self.files),
                "server_tools": {"supported": False, "code_execution": _can(False), "web_search": _can(False)},
                "structured_outputs": _can(True),
                "thinking": {"supported": bool(self.thinking & {"adaptive", "enabled"}), "types": types},
            },
        }


def _can(supported: bool) -> Mapping[str, bool]:  # noqa: FBT001  the only thing that it says
    return {"supported": supported}


MODELS = (
    FakeModel("claude-opus-5-5", "Claude Opus 5.5", thinking=frozenset({"adaptive"}), forced=False),
    FakeModel(
        "claude-sonnet-5-5", "Claude Sonnet 5.5", thinking=frozenset({"adaptive", "between_tools"}), forced=False
    ),
    FakeModel("claude-haiku-5-5", "Claude Haiku 5.5", forced=False),
    FakeModel(
        "claude-sonnet-4-6",
        "Claude Sonnet 4.6",
        thinking=frozenset({"adaptive", "enabled", "disabled"}),
        is_on=False,
        shows=True,
        temperature=True,
        binds=False,
    ),
    FakeModel(
        "claude-haiku-4-5-20251001",
        "Claude Haiku 4.5",
        window=200_000,
        output=64_000,
        thinking=frozenset({"enabled", "disabled"}),
        is_on=False,
        shows=True,
        efforts=frozenset(),
        temperature=True,
        prefill=True,
        binds=False,
    ),
)
