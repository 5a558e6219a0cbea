"""Time limits and cancellation around hooks."""

import asyncio
from dataclasses import replace
from typing import Any
from unittest.mock import MagicMock

import pytest

from plugin_support import FindRecord, LoadHost
from tgllm.api import ChatInfo, ChatRequest, TurnInfo, UserInfo
from tgllm.plugins import HostLimits
from tgllm.plugins.calls.strays import outcome_of

SHORT = HostLimits(async_seconds=0.05, grace_seconds=0.05)


BLOCKED = ", and blocked the bot meanwhile: run what takes long by asyncio.to_thread, or await it"


def plugin(body: str) -> str:
    return f"""
    import asyncio
    state = []
    running = asyncio.Event()
    @hookimpl
    def tgllm_plugin_info(): return PluginInfo("slow", "Slow", "1.0")
    @hookimpl
    async def tgllm_before_request(request):
        running.set()
        {body}
    """


HANG = "try: await asyncio.Event().wait()\n        finally: state.append('cleaned up')"
STUBBORN = """
        while True:
            try: await asyncio.Event().wait()
            except asyncio.CancelledError:
                state.append('ignored')
                if len(state) > 1: raise
"""


def module() -> Any:
    return __import__("tgllm_slow_module")


async def test_an_asynchronous_hook_that_hangs_is_cancelled(
    site: Any, load_host: LoadHost, record: FindRecord, request_: ChatRequest, turn: TurnInfo
) -> None:
    site.write("slow", plugin(HANG))
    host = await load_host(builtin=False, limits=SHORT)

    assert await host.before_request(request_, turn) is request_

    assert record(host, "slow").reason == "tgllm_before_request did not end within 0.05 s"
    assert module().state == ["cleaned up"]


async def test_one_that_ignores_its_cancellation_holds_nobody_up(
    site: Any, load_host: LoadHost, record: FindRecord, request_: ChatRequest, turn: TurnInfo
) -> None:
    site.write("slow", plugin(STUBBORN))
    host = await load_host(builtin=False, limits=SHORT)

    assert await host.before_request(request_, turn) is request_
    assert record(host, "slow").state == "quarantined"
    assert module().state == ["ignored"]

    await host.aclose()
    assert module().state == ["ignored", "ignored"]


async def test_cancellation_from_outside_passes_through_and_blames_nobody(
    site: Any, load_host: LoadHost, record: FindRecord, request_: ChatRequest, turn: TurnInfo
) -> None:
    site.write("slow", plugin(HANG))
    host = await load_host(builtin=False)
    task = asyncio.create_task(host.before_request(request_, turn))
    await module().running.wait()

    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task

    assert record(host, "slow").state == "active"
    assert module().state == ["cleaned up"]


@pytest.mark.parametrize("error", ["asyncio.CancelledError()", "SystemExit(1)", "BaseException('odd')"])
@pytest.mark.parametrize("kind", ["async def", "def"])
async def test_whatever_a_hook_raises_stays_its_own(
    site: Any, load_host: LoadHost, record: FindRecord, request_: ChatRequest, turn: TurnInfo, error: str, kind: str
) -> None:
    site.write("slow", plugin(f"raise {error}").replace("async def", kind))
    host = await load_host(builtin=False)

    assert await host.before_request(request_, turn) is request_

    assert record(host, "slow").state == "quarantined"


async def test_a_cancelled_load_passes_through(site: Any, load_host: LoadHost) -> None:
    site.install("hang_import")
    task = asyncio.create_task(load_host(builtin=False))
    await asyncio.sleep(0)

    task.cancel()

    with pytest.raises(asyncio.CancelledError):
        await task


async def test_a_hook_that_hangs_at_startup_does_not_keep_the_others_from_starting(
    site: Any, load_host: LoadHost, record: FindRecord
) -> None:
    site.install("hang_async", "good_all")
    host = await load_host(limits=HostLimits(async_seconds=2))

    await host.startup()

    assert record(host, "hang_async").reason == "tgllm_startup did not end within 2 s"
    assert __import__("tgllm_test_good_all").calls == [("startup", "good_all")]


@pytest.mark.parametrize("hook", ["startup", "shutdown"])
async def test_a_plain_hook_that_hangs_holds_nobody_up(site: Any, load_host: LoadHost, hook: str) -> None:
    body = f"""
    import threading
    release = threading.Event()
    @hookimpl
    def tgllm_plugin_info(): return PluginInfo("slow", "Slow", "1.0")
    @hookimpl
    def tgllm_{hook}(): release.wait()
    """
    site.write("slow", body)
    site.install("good_all")
    # Long enough for the other plugin's hook, in a thread of its own.
    host = await load_host(limits=replace(SHORT, async_seconds=2))

    try:
        await host.startup()
        await host.shutdown()
    finally:
        module().release.set()

    assert __import__("tgllm_test_good_all").calls == [("startup", "good_all"), ("shutdown", "good_all")]


async def test_a_plain_hook_may_return_what_is_awaited(site: Any, load_host: LoadHost, record: FindRecord) -> None:
    body = """
    import asyncio
    state = []
    @hookimpl
    def tgllm_plugin_info(): return PluginInfo("slow", "Slow", "1.0")
    @hookimpl
    def tgllm_startup(): return begin()
    async def begin(): state.append(asyncio.get_running_loop())
    """
    site.write("slow", body)
    host = await load_host(builtin=False)

    await host.startup()

    assert module().state == [asyncio.get_running_loop()]
    assert record(host, "slow").state == "active"


@pytest.mark.parametrize("definition", ["def", "async def"])
@pytest.mark.parametrize(
    "raised",
    [
        "KeyboardInterrupt",
        "SystemExit(3)",
        "GeneratorExit",
        "asyncio.CancelledError",
        "RecursionError",
        "MemoryError",
        "BaseExceptionGroup('two', [KeyboardInterrupt(), SystemExit()])",
        "type('Mute', (Exception,), {'__str__': lambda self: exit(3)})()",
        "type('MuteError', (TgllmError,), {'__str__': lambda self: exit(3)})()",
        "DatabaseError('of a plugin')",
    ],
)
async def test_whatever_a_hook_raises_is_the_failure_of_its_plugin(
    site: Any, load_host: LoadHost, record: FindRecord, request_: ChatRequest, turn: TurnInfo, definition: str,
    raised: str,
) -> None:  # fmt: skip
    site.write("slow", plugin(f"raise {raised}").replace("async def", definition))
    host = await load_host(builtin=False)

    assert await host.before_request(request_, turn) is request_

    assert record(host, "slow").state == "quarantined"


def test_ctrl_c_in_a_shell_command_is_not_the_plugins_fault() -> None:
    async def hook() -> None:
        runner._on_sigint(2, None, MagicMock(done=lambda: True))

    with asyncio.Runner() as runner:
        coroutine = outcome_of(hook())
        with pytest.raises(KeyboardInterrupt):
            coroutine.send(None)


@pytest.mark.parametrize("definition", ["def", "async def"])
async def test_a_hook_that_blocks_the_loop_for_longer_than_its_limit_is_quarantined(
    site: Any, load_host: LoadHost, record: FindRecord, user: UserInfo, chat: ChatInfo, definition: str
) -> None:
    body = f"""
    import time
    @hookimpl
    def tgllm_plugin_info(): return PluginInfo("slow", "Slow", "1.0")
    @hookimpl
    {definition} tgllm_authorize():
        time.sleep(0.06)
        return Decision.allow()
    """
    site.write("slow", body)
    host = await load_host(builtin=False, limits=SHORT)

    decision = await host.authorize(user, chat, "message")

    assert not decision.allowed
    assert record(host, "slow").reason == f"tgllm_authorize did not end within 0.05 s{BLOCKED}"


async def test_an_asynchronous_startup_that_blocks_the_loop_is_quarantined(
    site: Any, load_host: LoadHost, record: FindRecord
) -> None:
    body = """
    import time
    @hookimpl
    def tgllm_plugin_info(): return PluginInfo("slow", "Slow", "1.0")
    @hookimpl
    async def tgllm_startup(): time.sleep(0.06)
    """
    site.write("slow", body)
    host = await load_host(builtin=False, limits=SHORT)

    await host.startup()

    assert record(host, "slow").reason == f"tgllm_startup did not end within 0.05 s{BLOCKED}"
