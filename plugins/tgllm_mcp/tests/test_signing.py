"""Signing in at a server with OAuth, by /mcp in the chat."""

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import httpx2
import pytest

from mcp_servers.running import OAUTH, Running, Store, Web, raw
from tgllm.api import ChatInfo, CommandCall, Reply, UserInfo
from tgllm_mcp.chat import command

Start = Callable[..., Any]
Say = Callable[..., Any]


@pytest.fixture
async def guarded(web: Web) -> dict[str, Any]:
    """Settings of a server with OAuth."""
    web.script = OAUTH
    await web.start()
    return {"url": web.url, "connect_timeout": 120, "prefix": "", "oauth": True}


def speaker(running: Running) -> Say:
    """Return a function that sends /mcp as an admin."""
    chat_command = command(running.ctx, lambda: running.servers)

    async def say(args: str = "", kind: Any = "private") -> Any:
        call = CommandCall("mcp", args, UserInfo(1, "Ann", "owner"), ChatInfo(1, kind), replace(running.ctx), (), "all")
        return await chat_command.handler(call)

    return say


async def signed_in_address(reply: Reply) -> str:
    """Open the page of a sign-in, and return the address at its end."""
    async with httpx2.AsyncClient(trust_env=False) as browser:
        response = await browser.get(reply.buttons[0][0].url)
    return response.headers["location"]


async def test_a_sign_in_by_a_link(start: Start, guarded: dict[str, Any]) -> None:
    running = await start(one=guarded)
    say = speaker(running)
    assert await say() == "en mcp.servers\n\nen mcp.sign_in_needed one"
    assert running.servers.owners["one"].failure == "sign in with /mcp login one"

    reply = await say("login one")
    address = await signed_in_address(reply)
    wrong = await say("code http://127.0.0.1:33418/callback?code=x&state=forged")
    right = await say(f"code {address}")

    assert reply.text == "en mcp.link"
    assert address.startswith("http://127.0.0.1:33418/callback?code=")
    assert (wrong, right) == ("en mcp.wrong_address", "en mcp.signed_in one 1")
    assert (await running.call("treasure")).text == "gold"
    assert await say() == "en mcp.servers\n\nen mcp.ready one 1"


async def test_a_token_is_kept_over_a_restart_and_for_its_own_address(start: Start, guarded: dict[str, Any]) -> None:
    running = await start(one=guarded)
    say = speaker(running)
    await say(f"code {await signed_in_address(await say('login one'))}")
    token = running.store.values["oauth.one.token"]
    await running.servers.aclose()

    again = await start(store=running.store, one=guarded)
    moved = Store({**running.store.values, "oauth.one.token": {**token, "url": "http://127.0.0.1:1/mcp"}})
    elsewhere = await start(store=moved, one=guarded)

    assert list(again.specs) == ["treasure"]
    assert elsewhere.servers.owners["one"].needs_sign_in
    assert token["value"] not in running.log.text


async def test_an_address_without_a_sign_in(start: Start, guarded: dict[str, Any]) -> None:
    running = await start(one=guarded)
    say = speaker(running)
    address = await signed_in_address(await say("login one"))
    assert (await say("login one")).text == "en mcp.link"

    assert await say(f"code {address}") == "en mcp.wrong_address"
    assert await say("code http://[") == "en mcp.wrong_address"


async def test_other_words(start: Start) -> None:
    running = await start(one=raw("good"), bad={"command": "no-such-program"})
    say = speaker(running)

    assert await say("login") == "en mcp.usage"
    assert await say("dance one") == "en mcp.usage"
    assert await say("login two") == "en mcp.unknown two"
    assert await say("login one") == "en mcp.no_oauth one"
    assert await say("login one", "group") == "en mcp.private_only"
    assert (await say()).splitlines()[3].startswith("en mcp.failed bad its program no-such-program is not found")
