"""The registry finds the provider of a model, makes it when it is first used, and says how each one is."""

import asyncio
import threading
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AsyncExitStack
from pathlib import Path

import pytest

from plugin_support import Offering
from tgllm.api import (
    ModelNotFound,
    ModelRef,
    NotConfigured,
    PluginContext,
    Provider,
    ProviderError,
    ProviderSpec,
)
from tgllm.i18n import Catalogue
from tgllm.observe.logs import get_logger
from tgllm.plugins.host import PluginHost
from tgllm.plugins.loading.assemble import PluginChoice
from tgllm.plugins.loading.contexts import HostServices
from tgllm.services.models.registry import ProviderRegistry, ProviderStatus
from tgllm.testing.clock import ManualClock
from tgllm.testing.scripted import GivenPlugin, ScriptedProvider

Create = Callable[[PluginContext], Provider]
Open = Callable[..., Awaitable[ProviderRegistry]]


class Closing(ScriptedProvider):
    """Remembers that it was closed, or does not close at all."""

    def __init__(self, error: BaseException | None = None) -> None:
        super().__init__()
        self.closed = 0
        self._error = error

    async def aclose(self) -> None:
        self.closed += 1
        if self._error is not None:
            raise self._error


def raising(error: BaseException) -> Create:
    def create(_ctx: PluginContext) -> Provider:
        raise error

    return create


def spec(name: str, create: Create | None = None, *aliases: str) -> ProviderSpec:
    return ProviderSpec(name, name.title(), create or (lambda _ctx: ScriptedProvider()), aliases)


@pytest.fixture
async def opened(tmp_path: Path) -> AsyncIterator[Open]:
    """Opens a registry for these providers."""
    async with AsyncExitStack() as stack:

        async def open_registry(*specs: ProviderSpec, create_seconds: float = 30.0) -> ProviderRegistry:
            host = await PluginHost.load(
                [GivenPlugin.of("given", Offering(*specs))],
                HostServices(None, tmp_path, ManualClock(), Catalogue(), get_logger),
                choice=PluginChoice(builtin=False),
            )
            await stack.enter_async_context(host)
            registry = ProviderRegistry(host, create_seconds=create_seconds, close_seconds=0.05)
            stack.push_async_callback(registry.aclose)
            return registry

        yield open_registry


class TestReferences:
    async def test_are_split_at_the_first_slash(self, opened: Open) -> None:
        assert (await opened(spec("mistral"))).resolve("mistral/org/model") == ModelRef("mistral", "org/model")

    async def test_may_use_an_alias(self, opened: Open) -> None:
        registry = await opened(spec("dipseek", None, "deepseek"))

        assert registry.resolve("deepseek/chat") == ModelRef("dipseek", "chat")
        assert registry.canonical(ModelRef("nobody", "chat")) == ModelRef("nobody", "chat")

    async def test_that_are_mistyped_name_the_nearest(self, opened: Open) -> None:
        registry = await opened(spec("mistral"), spec("dipseek", None, "deepseek"))

        with pytest.raises(ModelNotFound, match="did you mean mistral"):
            registry.resolve("mistal/small")
        with pytest.raises(ModelNotFound, match="did you mean deepseek"):
            registry.resolve("deepsek/chat")

    async def test_that_are_like_none_name_all(self, opened: Open) -> None:
        with pytest.raises(ModelNotFound, match="there are: dipseek, mistral"):
            (await opened(spec("mistral"), spec("dipseek"))).resolve("zzz/small")

    @pytest.mark.parametrize("text", ["mistral", "/small", "mistral/", ""])
    async def test_that_are_none_are_told(self, opened: Open, text: str) -> None:
        with pytest.raises(ModelNotFound, match="write provider/model"):
            (await opened(spec("mistral"))).resolve(text)


class TestCreation:
    async def test_on_first_use_and_once(self, opened: Open) -> None:
        made: list[Provider] = []

        def create(_ctx: PluginContext) -> Provider:
            made.append(ScriptedProvider())
            return made[-1]

        registry = await opened(spec("mistral", create))
        assert made == []
        found = await asyncio.gather(*(registry.provider("mistral") for _ in range(5)))
        assert [found[0]] * 5 == found
        assert made == [found[0]]

    async def test_does_not_stop_the_loop(self, opened: Open) -> None:
        go_on = threading.Event()

        def create(_ctx: PluginContext) -> Provider:
            assert go_on.wait(10)
            return ScriptedProvider()

        registry = await opened(spec("slow", create), spec("quick"))
        slow = asyncio.create_task(registry.provider("slow"))
        await registry.provider("quick")
        go_on.set()
        assert isinstance(await slow, ScriptedProvider)

    async def test_that_fails_may_be_tried_again(self, opened: Open) -> None:
        results: list[Provider | Exception] = [NotConfigured("set X_API_KEY"), ScriptedProvider()]

        def create(_ctx: PluginContext) -> Provider:
            result = results.pop(0)
            if isinstance(result, Exception):
                raise result
            return result

        registry = await opened(spec("mistral", create))
        with pytest.raises(NotConfigured):
            await registry.provider("mistral")
        assert isinstance(await registry.provider("mistral"), ScriptedProvider)

    @pytest.mark.parametrize(
        ("create", "reason"),
        [
            (raising(ValueError("boom")), "the start of the provider mistral raised ValueError: boom"),
            (raising(SystemExit(1)), "the start of the provider mistral raised SystemExit: 1"),
            (lambda _ctx: object(), "create made a object, which is no tgllm.api.Provider"),
        ],
    )
    async def test_that_breaks_the_contract_is_told(self, opened: Open, create: Create, reason: str) -> None:
        with pytest.raises(ProviderError) as told:
            await (await opened(spec("mistral", create))).provider("mistral")
        assert (str(told.value), told.value.code) == (reason, "provider_broken")

    async def test_that_takes_too_long_is_given_up(self, opened: Open) -> None:
        go_on = threading.Event()
        registry = await opened(spec("slow", lambda _ctx: go_on.wait(10) and ScriptedProvider()), create_seconds=0.02)
        try:
            with pytest.raises(ProviderError, match=r"did not end within 0\.02 s"):
                await registry.provider("slow")
        finally:
            go_on.set()

    async def test_of_an_unknown_one(self, opened: Open) -> None:
        with pytest.raises(ModelNotFound):
            await (await opened(spec("mistral"))).provider("mistal")


async def test_one_that_can_not_be_made_stops_no_other(opened: Open) -> None:
    registry = await opened(
        spec("ready"),
        spec("keyless", raising(NotConfigured("set KEYLESS_API_KEY", variable="KEYLESS_API_KEY"))),
        spec("unset", raising(NotConfigured("set a project"))),
        spec("wrong", raising(ValueError("boom"))),
    )

    assert await registry.statuses() == [
        ProviderStatus("keyless", "Keyless", "given", "not configured", "set KEYLESS_API_KEY", "KEYLESS_API_KEY"),
        ProviderStatus("ready", "Ready", "given", "ready"),
        ProviderStatus("unset", "Unset", "given", "not configured", "set a project"),
        ProviderStatus("wrong", "Wrong", "given", "broken", "the start of the provider wrong raised ValueError: boom"),
    ]
    assert registry.ids == ("keyless", "ready", "unset", "wrong")


class TestClosing:
    async def test_only_what_was_made_and_each_once(self, opened: Open) -> None:
        used, unused = Closing(), Closing()
        registry = await opened(spec("used", lambda _ctx: used), spec("unused", lambda _ctx: unused))
        await registry.provider("used")
        await registry.aclose()
        await registry.aclose()

        assert (used.closed, unused.closed) == (1, 0)

    @pytest.mark.parametrize("error", [ValueError("boom"), SystemExit(1), asyncio.CancelledError()])
    async def test_one_that_fails_leaves_no_other_open(self, opened: Open, error: BaseException) -> None:
        bad, good = Closing(error), Closing()
        registry = await opened(spec("bad", lambda _ctx: bad), spec("good", lambda _ctx: good))
        await registry.provider("bad")
        await registry.provider("good")
        await registry.aclose()

        assert (bad.closed, good.closed) == (1, 1)
