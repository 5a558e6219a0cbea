"""Validation of tools, calls and results in requests to the Messages API."""

from collections.abc import Sequence

from tgllm.testing.fake_providers.anthropic_api.body import CountBody, Message, RedactedBlock, ThinkingBlock
from tgllm.testing.fake_providers.anthropic_api.models import FakeModel
from tgllm.testing.fake_providers.anthropic_api.tools import ToolResultBlock, ToolUseBlock
from tgllm.testing.fake_providers.anthropic_errors import AnthropicErrors
from tgllm.testing.fake_providers.base.errors import Refusal

__all__ = ["check_calls", "check_tools"]

_ERRORS = AnthropicErrors()
_REFUSED_AT_ROOT = frozenset({"oneOf", "allOf", "anyOf"})


def check_tools(body: CountBody, model: FakeModel) -> None:
    """Check tools and the choice."""
    names = [tool.name for tool in body.tools or ()]
    if len(set(names)) < len(names):
        raise _invalid("tools: Tool names must be unique.")
    for number, tool in enumerate(body.tools or ()):
        if _REFUSED_AT_ROOT & (tool.input_schema.model_extra or {}).keys():
            where = f"tools.{number}.custom.input_schema"
            raise _invalid(f"{where}: input_schema does not support oneOf, allOf, or anyOf at the top level")
    uses = any(isinstance(block, ToolUseBlock | ToolResultBlock) for _, block in body.blocks)
    if uses and not names:
        raise _invalid("tools: Field required: requests with `tool_use` or `tool_result` blocks must define tools.")
    choice = body.tool_choice
    if choice is None:
        return
    if not names:
        raise _invalid("tool_choice may only be specified while providing `tools`.")
    if choice.type == "tool" and choice.name not in names:
        raise _invalid(f"Tool '{choice.name}' not found in provided tools")
    if choice.type == "none" and choice.disable_parallel_tool_use is not None:
        raise _invalid("tool_choice.none.disable_parallel_tool_use: Extra inputs are not permitted")
    if choice.is_forced and (not model.forced or (body.thinking and body.thinking.type == "enabled")):
        raise _invalid("Thinking may not be enabled when tool_choice forces tool use.")


def check_calls(body: CountBody) -> None:
    """Check that each call has one result at the beginning of the next message, and each result its call."""
    before: list[str] = []
    seen: set[str] = set()
    for number, message in enumerate(body.messages):
        calls = [block.id for block in message.blocks if isinstance(block, ToolUseBlock)]
        _check_roles(message, number)
        _check_results(before, message, number)
        if seen & set(calls) or len(set(calls)) < len(calls):
            raise _invalid(f"messages.{number}.content: `tool_use` ids must be unique")
        seen |= set(calls)
        before = calls
    if before:
        raise _without_result(len(body.messages) - 1, before)
    if body.thinking and body.thinking.type == "enabled":
        _check_begin(body.messages)


def _check_roles(message: Message, number: int) -> None:
    for index, block in enumerate(message.blocks):
        place = f"messages.{number}.content.{index}"
        if isinstance(block, ToolUseBlock) and message.role != "assistant":
            raise _invalid(f"{place}: `tool_use` blocks can only be in `assistant` messages")
        if isinstance(block, ToolResultBlock) and message.role != "user":
            raise _invalid(f"{place}: `tool_result` blocks can only be in `user` messages")


def _check_results(before: Sequence[str], message: Message, number: int) -> None:
    """Check the results for the calls of the message before; those after other blocks don't count."""
    results = [block.tool_use_id for block in message.blocks if isinstance(block, ToolResultBlock)]
    first = [block.tool_use_id for block in message.blocks[: len(results)] if isinstance(block, ToolResultBlock)]
    if unknown := [each for each in results if each not in before]:
        raise _invalid(
            f"messages.{number}.content.0: unexpected `tool_use_id` found in `tool_result` blocks: "
            f"{', '.join(unknown)}. Each `tool_result` block must have a corresponding `tool_use` block in the "
            "previous message."
        )
    if len(set(results)) < len(results):
        raise _invalid(
            f"messages.{number}.content: each tool_use must have a single result. Found multiple `tool_result` blocks "
            f"with id: {results[0]}"
        )
    if missing := [each for each in before if each not in first]:
        raise _without_result(number - 1, missing)


def _without_result(number: int, ids: Sequence[str]) -> Refusal:
    return _invalid(
        f"messages.{number}: `tool_use` ids were found without `tool_result` blocks immediately after: "
        f"{', '.join(ids)}. Each `tool_use` block must have a corresponding `tool_result` block in the next message."
    )


def _check_begin(messages: Sequence[Message]) -> None:
    """Check that an answer in progress begins with reasoning, as it must with a budget of reasoning."""
    first: tuple[int, Message] | None = None
    for number, message in reversed([*enumerate(messages)]):
        if message.role == "assistant":
            first = (number, message)
        elif not any(isinstance(block, ToolResultBlock) for block in message.blocks):
            break
    if first is None or isinstance(first[1].blocks[0], ThinkingBlock | RedactedBlock):
        return
    raise _invalid(
        f"messages.{first[0]}.content.0.type: Expected `thinking` or `redacted_thinking`, but found "
        f"`{first[1].blocks[0].type}`. When `thinking` is enabled, a final `assistant` message must start with a "
        "thinking block (preceeding the lastmost set of `tool_use` and `tool_result` blocks)."
    )


def _invalid(message: str) -> Refusal:
    return Refusal(_ERRORS.invalid(message))
