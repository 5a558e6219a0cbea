"""An answer on its whole way: from a provider's API over HTTP into the chat, and into the database."""

import asyncio
import json
import signal
from collections.abc import Awaitable, Callable
from typing import Any

import pytest

from program_support import PATIENCE
from tgllm.api import Usage
from tgllm.testing.emulator import EmulatedChat, EmulatedUser, Emulator
from tgllm.testing.fake_providers import FakeServer

pytestmark = pytest.mark.timeout(300)

REASONING = "Two and two, let me see."


async def test_an_answer_with_reasoning_streams_into_the_chat_and_is_stored_with_its_cost(
    emu: Emulator,
    ann: EmulatedUser,
    chat: EmulatedChat,
    fake: FakeServer,
    api: Any,
    launch: Callable[..., Awaitable[Any]],
    stored: Callable[[str], Awaitable[list[dict[str, Any]]]],
) -> None:
    go_on = asyncio.Event()
    fake.answer(["It is ", go_on, "four."], reasoning=REASONING, usage=Usage(100, 20, 6, 0))
    prices = json.dumps({api.ref: {"input": 2.0, "output": 10.0}})
    bot = await launch("run", TGLLM_ADMIN_IDS=str(ann.id), TGLLM_PRICES=prices, **api.settings(fake))

    await ann.say("What is 2 + 2?")
    draft = await emu.wait_for_draft(chat, lambda draft: "It is" in draft.text, timeout=PATIENCE)
    go_on.set()
    answer = await emu.wait_for_message(chat, timeout=PATIENCE)
    await emu.wait_for_message(chat, timeout=PATIENCE, after=await ann.say("And is that so?"))
    bot.send(signal.SIGTERM)
    code, printed = await bot.end()

    assert code == 0, printed
    assert "four" not in draft.text
    assert answer.text == "It is four."
    assert fake.key not in printed
    (first, second) = await stored("SELECT * FROM requests ORDER BY id")
    assert (first["provider"], first["model"]) == (api.provider, api.model)
    assert (first["status"], first["finish_reason"], first["error_code"]) == ("ok", "stop", None)
    assert (first["input_tokens"], first["output_tokens"], first["cached_tokens"]) == (100, 20, 0)
    assert first["cost_micros"] == 100 * 2 + 20 * 10
    assert first["first_token_ms"] <= first["latency_ms"]
    assert second["cost_micros"] > 0
    messages = await stored("SELECT role, text, provider_data FROM messages ORDER BY id")
    assert [(row["role"], row["text"]) for row in messages[:2]] == [
        ("user", "What is 2 + 2?"),
        ("assistant", "It is four."),
    ]
    assert api.replays in str(fake.requests[-1].body)


async def test_each_plugin_is_found_by_its_entry_point(
    launch: Callable[..., Awaitable[Any]], api: Any, fake: FakeServer
) -> None:
    code, printed = await (await launch("plugins", "list", "--json", **api.settings(fake))).end()

    assert code == 0
    (plugin,) = [plugin for plugin in json.loads(printed) if plugin["plugin"] == api.provider]
    assert (plugin["state"], plugin["provides"]) == ("active", [f"provider {api.provider}"])
