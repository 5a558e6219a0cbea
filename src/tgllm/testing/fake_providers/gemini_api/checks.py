"""Validation of requests to the Gemini API, beyond the format of the body."""

from collections.abc import Mapping
from typing import TypeVar

from pydantic import BaseModel, ValidationError

from tgllm.testing.fake_providers.base.errors import Refusal
from tgllm.testing.fake_providers.gemini_api.body import GenerateBody, Part, Thinking
from tgllm.testing.fake_providers.gemini_api.errors import GeminiErrors
from tgllm.testing.fake_providers.gemini_api.signatures import Signatures

__all__ = ["MIME_TYPES", "check_contents", "check_modalities", "check_signatures", "check_thinking", "read"]

M = TypeVar("M", bound=BaseModel)

_KINDS: Mapping[str, tuple[str, ...]] = {
    "image": ("png", "jpeg", "webp", "heic", "heif"),
    "audio": ("wav", "mp3", "mpeg", "aiff", "aac", "ogg", "flac"),
    "video": ("mp4", "mpeg", "mov", "quicktime", "avi", "x-flv", "mpg", "webm", "wmv", "3gpp"),
    "text": ("plain", "html", "css", "md", "markdown", "csv", "xml", "rtf", "javascript", "x-python"),
    "application": ("pdf", "json", "rtf", "x-javascript", "x-python"),
}
MIME_TYPES = frozenset(f"{kind}/{name}" for kind, names in _KINDS.items() for name in names)
_ERRORS = GeminiErrors()
_FIELD = "GenerateContentRequest.contents"


def read(kind: type[M], raw: object) -> M:
    """Parse a body. Raises Refusal for an unknown field or an invalid value, with its path."""
    try:
        return kind.model_validate(raw)
    except ValidationError as error:
        first = error.errors(include_url=False, include_context=False)[0]
        *place, name = [str(part) for part in first["loc"]] or [""]
        if first["type"] == "extra_forbidden":
            raise Refusal(_ERRORS.unknown_field(name, ".".join(place))) from None
        path = ".".join([*place, name])
        raise Refusal(_ERRORS.invalid(f"Invalid value at '{path}': {first['msg']}")) from None


def check_contents(body: GenerateBody) -> None:
    """Check roles, parts and types of files."""
    if not body.contents:
        raise Refusal(_ERRORS.invalid(f"* {_FIELD}: contents is not specified\n"))
    for content in body.contents:
        if content.role not in {None, "user", "model"} or (content.role is None and len(body.contents) > 1):
            raise Refusal(_ERRORS.invalid("Please use a valid role: user, model."))
        if not content.parts:
            raise Refusal(_ERRORS.invalid(f"* {_FIELD}.parts: contents.parts must not be empty.\n"))
    for part in body.parts:
        _check_part(part)


def _check_part(part: Part) -> None:
    if not part.has_data:
        message = f"* {_FIELD}.parts.data: required oneof field 'data' must have one initialized field"
        raise Refusal(_ERRORS.invalid(message))
    if part.inline_data is not None and part.inline_data.mime_type not in MIME_TYPES:
        raise Refusal(_ERRORS.invalid(f"Unsupported MIME type: {part.inline_data.mime_type}"))


def check_thinking(model: str, thinking: Thinking) -> None:
    """Check the reasoning settings, which differ between model families."""
    level, budget = thinking.thinking_level, thinking.thinking_budget
    if level is not None and budget is not None:
        message = "You can only set only one of thinking budget and thinking level."
    elif budget is not None and model.startswith("gemini-4"):
        message = "Thinking budget is not supported for this model."
    elif level is not None and not _has_level(model, level):
        message = f"Thinking level {level} is not supported for this model. Please retry with other thinking level."
    else:
        return
    raise Refusal(_ERRORS.invalid(message))


def check_modalities(model: str, modalities: list[str]) -> None:
    """Check that only models that make pictures are asked for them."""
    if "IMAGE" in modalities and "image" not in model:
        raise Refusal(_ERRORS.invalid("Model does not support the requested response modalities: image,text"))


def _has_level(model: str, level: str) -> bool:
    if model.startswith(("gemini-2.", "gemma")):
        return False
    if level == "XHIGH":
        return "hydrogen" in model
    return level != "MINIMAL" or not model.startswith(("gemini-3.8", "gemini-4"))


def check_signatures(model: str, parts: list[Part], signatures: Signatures) -> None:
    """Check that signatures are returned unchanged."""
    for part in parts:
        if part.thought_signature is not None and not signatures.knows(part.thought_signature, model):
            raise Refusal(_ERRORS.invalid("Corrupted thought signature."))
