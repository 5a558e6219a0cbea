"""Token estimates without a tokenizer, calibrated by reported usage.

Every vendor tokenizes text in its own way, and tokenizers are large downloads. Compared with the tokenizers of DeepSeek
and Mistral, the uncalibrated estimate of ordinary texts is 0 to 45 % too high for Latin and Cyrillic letters and for
code, and within 20 % for Chinese. Usage that a service reports calibrates the estimate per model.
"""

import math
import re
from collections.abc import Iterable, Mapping
from functools import cache

from tgllm.api.types import (
    ChatMessage,
    ChatRequest,
    FilePart,
    ModelRef,
    Part,
    TextPart,
    ToolCallPart,
    ToolDefinition,
    ToolResultPart,
)
from tgllm.providers.json_values import encode_json

__all__ = [
    "CHARS_PER_TOKEN",
    "Calibration",
    "estimate_file",
    "estimate_message",
    "estimate_request",
    "estimate_text",
    "estimate_tool",
    "estimate_tools",
]

_TOKENS_PER_CJK = 0.9
CHARS_PER_TOKEN = 3.3
"""Characters of one token, in scripts other than Chinese, Japanese and Korean."""
_TOKENS_PER_MESSAGE = 4
_TOKENS_PER_TOOL = 10
"""Of a tool, a call or a result, beside its texts."""
_TOKENS_PER_IMAGE = 1_000
"""Of a picture of unknown size."""
_PIXELS_PER_TOKEN = 750
_IMAGE_BOUNDS = (85, 1_600)
_TOKENS_PER_PAGE = 1_500
"""Of a PDF: services charge from 260 (Gemini) to 3,000 (Claude, for a dense page)."""
_TOKENS_PER_SECOND = {"audio": 32, "video": 300}
"""What Gemini charges, the only one that takes video."""
_MOST_BYTES_PER_SECOND = {"audio": 192_000, "video": 2_000_000}
"""Of usual recordings, so that a claimed duration can't make a file of hours cheap."""
_BYTES_PER_TOKEN = 4
_MAX_FILE_TOKENS = 100_000

_SHARE = 0.2
"""Weight of the newest answer in the moving average."""
_MIN_TOKENS = 50
"""In shorter requests the service's own overhead distorts the factor."""
_BOUNDS = (0.25, 4.0)


@cache
def _cjk() -> re.Pattern[str]:
    # Large ranges of characters take milliseconds to compile, which a start need not wait for.
    return re.compile(r"[⺀-鿿가-힯豈-﫿＀-￯\U00020000-\U0003ffff]")


def estimate_text(text: str) -> int:
    """Estimate the tokens of a text: 0.9 per Chinese, Japanese or Korean character, one per 3.3 others."""
    wide = 0 if text.isascii() else len(_cjk().findall(text))
    return math.ceil(wide * _TOKENS_PER_CJK + (len(text) - wide) / CHARS_PER_TOKEN)


def estimate_file(part: FilePart) -> int:
    """Estimate the tokens of a file by its pixels, pages or seconds.

    If these are unknown: 1000 for an image, otherwise a quarter of its bytes, at most 100 000.
    """
    group = part.mime_type.partition("/")[0]
    by_size = part.size // _BYTES_PER_TOKEN
    if group == "image":
        low, high = _IMAGE_BOUNDS
        return min(max(part.pixels // _PIXELS_PER_TOKEN, low), high) if part.pixels else _TOKENS_PER_IMAGE
    if group in _TOKENS_PER_SECOND and part.seconds:
        seconds = max(part.seconds, part.size / _MOST_BYTES_PER_SECOND[group])
        return math.ceil(seconds * _TOKENS_PER_SECOND[group])
    if part.mime_type == "application/pdf" and part.pages:
        return min(by_size, part.pages * _TOKENS_PER_PAGE)
    return min(by_size, _MAX_FILE_TOKENS)


def estimate_message(message: ChatMessage) -> int:
    """Estimate the tokens of one message with its role, its files, and its calls of tools or their results."""
    parts = message.parts
    if len(parts) == 1 and isinstance(parts[0], TextPart):
        # Nearly all messages of a long history.
        return _TOKENS_PER_MESSAGE + estimate_text(parts[0].text)
    others = sum([_estimate_part(part) for part in parts if not isinstance(part, TextPart)])
    return _TOKENS_PER_MESSAGE + estimate_text(message.text) + others


def estimate_tool(tool: ToolDefinition) -> int:
    """Estimate the tokens of the description of a tool."""
    return _TOKENS_PER_TOOL + estimate_text(f"{tool.name}{tool.description}{encode_json(tool.schema).decode()}")


def estimate_tools(tools: Iterable[ToolDefinition]) -> int:
    """Estimate the tokens of the descriptions of tools."""
    return sum(map(estimate_tool, tools))


def estimate_request(request: ChatRequest) -> int:
    """Estimate the tokens of all messages, the system prompt and the tools."""
    system = _TOKENS_PER_MESSAGE + estimate_text(request.system) if request.system else 0
    return system + estimate_tools(request.tools) + sum(map(estimate_message, request.messages))


def _estimate_part(part: Part) -> int:
    match part:
        case FilePart():
            return estimate_file(part)
        case ToolCallPart():
            return _TOKENS_PER_TOOL + estimate_text(part.name + encode_json(part.arguments).decode())
        case ToolResultPart():
            return _TOKENS_PER_TOOL + estimate_text(part.text)
        case TextPart():
            return estimate_text(part.text)


class Calibration:
    """Factor between estimated and reported tokens for each model: a moving average over its answers."""

    def __init__(self, factors: Mapping[ModelRef, float] | None = None) -> None:
        """Create a calibration with the factors of an earlier one, or without factors."""
        self._factors = dict(factors or {})

    @property
    def factors(self) -> Mapping[ModelRef, float]:
        """The factors by model, for storing."""
        return dict(self._factors)

    def factor(self, ref: ModelRef) -> float:
        """Return the reported tokens per estimated token; 1.0 for a model without answers."""
        return self._factors.get(ref, 1.0)

    def estimate(self, ref: ModelRef, tokens: int) -> int:
        """Return the estimate ``tokens``, calibrated for one model."""
        return math.ceil(tokens * self.factor(ref))

    def recall(self, ref: ModelRef, factor: float) -> None:
        """Restore the factor of a model from an earlier calibration, unless it has a newer one."""
        low, high = _BOUNDS
        self._factors.setdefault(ref, min(max(factor, low), high))

    def learn(self, ref: ModelRef, estimated: int, reported: int | None) -> None:
        """Update the factor of a model with reported tokens (``Usage.input_tokens``) of an estimated request.

        Short requests are ignored. A factor is limited to the range 0.25 to 4.
        """
        if reported is None or min(estimated, reported) < _MIN_TOKENS:
            return
        low, high = _BOUNDS
        found = min(max(reported / estimated, low), high)
        known = self._factors.get(ref)
        self._factors[ref] = found if known is None else known + _SHARE * (found - known)
