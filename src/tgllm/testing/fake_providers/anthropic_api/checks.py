"""Validation of requests to the Messages API, beyond the format of the body."""

from typing import TypeVar

from pydantic import BaseModel, ValidationError

from tgllm.testing.fake_providers.anthropic_api.body import (
    Block,
    CountBody,
    DocumentBlock,
    ImageBlock,
    MessagesBody,
    RedactedBlock,
    Source,
    TextBlock,
    ThinkingBlock,
)
from tgllm.testing.fake_providers.anthropic_api.models import FakeModel
from tgllm.testing.fake_providers.anthropic_api.signatures import Signatures
from tgllm.testing.fake_providers.anthropic_errors import AnthropicErrors
from tgllm.testing.fake_providers.base.errors import Refusal

__all__ = ["LATEST", "OLDER", "check_answer", "check_conversation", "check_version", "is_thinking", "read"]

M = TypeVar("M", bound=BaseModel)

OLDER, LATEST = "2023-06-01", "2026-10-21"
_IMAGES = {"image/jpeg", "image/png", "image/gif", "image/webp"}
_MAX_IMAGE = 5 * 2**20
"""Characters of a picture in base64."""
_MAX_MARKS = 4
_MIN_BUDGET = 1024
_ERRORS = AnthropicErrors()


def read(kind: type[M], raw: object) -> M:
    """Parse a body. Raises Refusal for an unknown field or an invalid value, with its path."""
    try:
        return kind.model_validate(raw)
    except ValidationError as error:
        # A value of several possible types has an error for each; the deepest is the one that the API tells.
        first = max(error.errors(include_url=False, include_context=False), key=lambda found: len(found["loc"]))
        words = {"extra_forbidden": "Extra inputs are not permitted", "missing": "Field required"}
        place = ".".join(str(step) for step in first["loc"] if "[" not in str(step))
        raise Refusal(_ERRORS.invalid(f"{place}: {words.get(first['type'], first['msg'])}")) from None


def check_version(version: str | None) -> str:
    """Return the version of the API."""
    if version is None:
        raise Refusal(_ERRORS.invalid("anthropic-version: header is required"))
    if version not in {OLDER, LATEST}:
        raise Refusal(_ERRORS.invalid(f'anthropic-version: "{version}" is not a valid version'))
    return version


def check_conversation(body: CountBody, model: FakeModel, version: str, signatures: Signatures) -> None:
    """Check roles, blocks, files, marks for the cache and the reasoning of earlier answers."""
    if body.marks > _MAX_MARKS:
        message = f"A maximum of 4 blocks with cache_control may be provided. Found {body.marks}."
        raise Refusal(_ERRORS.invalid(message))
    if body.messages[-1].role != "user" and not model.prefill:
        message = (
            "This model does not support assistant message prefill. The conversation must end with a user message."
        )
        raise Refusal(_ERRORS.invalid(message))
    for number, message in enumerate(body.messages):
        if not message.blocks:
            raise Refusal(_ERRORS.invalid(f"messages.{number}: all messages must have non-empty content"))
        for index, block in enumerate(message.blocks):
            _check_block(block, message.role, f"messages.{number}.content.{index}", model, version, signatures)


def _check_block(block: Block, role: str, place: str, model: FakeModel, version: str, signatures: Signatures) -> None:
    match block:
        case TextBlock():
            if not block.text.strip():
                raise Refusal(_ERRORS.invalid("messages: text content blocks must contain non-whitespace text"))
        case ThinkingBlock() | RedactedBlock():
            _check_thought(block, role, place, model, signatures)
        case ImageBlock() | DocumentBlock():
            if role != "user" and (isinstance(block, ImageBlock) or version == LATEST):
                raise Refusal(
                    _ERRORS.invalid(f"{place}: '{block.type}' blocks are not permitted in assistant messages")
                )
            _check_file(block.source, block.type, f"{place}.{block.type}.source", model)
        case _:
            pass


def _check_thought(
    block: ThinkingBlock | RedactedBlock, role: str, place: str, model: FakeModel, signatures: Signatures
) -> None:
    if role != "assistant":
        raise Refusal(_ERRORS.invalid(f"{place}: `{block.type}` blocks may only be in `assistant` messages"))
    of = model.id if model.binds else None
    if isinstance(block, ThinkingBlock) and not signatures.knows(block.signature, block.thinking, of):
        raise Refusal(_ERRORS.invalid(f"{place}: Invalid `signature` in `thinking` block"))
    if isinstance(block, RedactedBlock) and not signatures.knows(block.data, "", of):
        raise Refusal(_ERRORS.invalid(f"{place}: Invalid `data` in `redacted_thinking` block"))


def _check_file(source: Source, kind: str, place: str, model: FakeModel) -> None:
    if not model.files:
        raise Refusal(_ERRORS.invalid(f"{place}: {kind} input is not supported by this model"))
    if source.type != "base64":
        return
    wanted = _IMAGES if kind == "image" else {"application/pdf"}
    if source.media_type not in wanted:
        message = f"{place}.base64.media_type: Input should be {' or '.join(map(repr, sorted(wanted)))}"
        raise Refusal(_ERRORS.invalid(message))
    size = len(source.data or "")
    if kind == "image" and size > _MAX_IMAGE:
        message = f"{place}.base64: image exceeds 5 MB maximum: {size} bytes > {_MAX_IMAGE} bytes"
        raise Refusal(_ERRORS.invalid(message))


def check_answer(body: MessagesBody, model: FakeModel, version: str) -> None:
    """Check the settings of an answer."""
    if body.max_tokens > model.output:
        message = (
            f"max_tokens: {body.max_tokens} > {model.output}, which is the maximum allowed number of output tokens for "
            f"{model.id}"
        )
        raise Refusal(_ERRORS.invalid(message))
    _check_thinking(body, model)
    effort = body.output_config.effort if body.output_config else None
    if effort is not None and effort not in model.efforts:
        raise Refusal(_ERRORS.invalid("This model does not support the effort parameter."))
    sampling = {"temperature": body.temperature, "top_p": body.top_p, "top_k": body.top_k}
    for name, value in sampling.items():
        if value is not None and (version == LATEST or not model.temperature):
            raise Refusal(_ERRORS.invalid(f"{name}: Extra inputs are not permitted"))
    if body.temperature not in {None, 1.0} and is_thinking(body, model):
        message = "`temperature` may only be set to 1 when thinking is enabled."
        raise Refusal(_ERRORS.invalid(message))


def is_thinking(body: CountBody, model: FakeModel) -> bool:
    """Return whether the model reasons about this request."""
    return model.is_on if body.thinking is None else body.thinking.type in {"adaptive", "enabled"}


def _check_thinking(body: MessagesBody, model: FakeModel) -> None:
    thinking = body.thinking
    if thinking is None:
        return
    if thinking.type not in model.thinking:
        raise Refusal(_ERRORS.invalid(f"thinking.type: '{thinking.type}' is not supported by {model.id}"))
    if thinking.type != "enabled":
        return
    budget = thinking.budget_tokens or 0
    if budget < _MIN_BUDGET:
        message = f"thinking.enabled.budget_tokens: Input should be greater than or equal to {_MIN_BUDGET}"
        raise Refusal(_ERRORS.invalid(message))
    if budget >= body.max_tokens:
        raise Refusal(_ERRORS.invalid("`max_tokens` must be greater than `thinking.budget_tokens`."))
