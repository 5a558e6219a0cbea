"""The providers of plugins: found by name, made on first use, closed at the end."""

import asyncio
import threading
from collections.abc import AsyncGenerator, Awaitable, Callable, Sequence
from typing import cast

import pytest

from plugin_support import LoadHost, Offer
from tgllm.api import (
    AuthFailed,
    ChatRequest,
    ModelInfo,
    ModelNotFound,
    ModelRef,
    NotConfigured,
    PluginContext,
    Provider,
    ProviderError,
    ProviderSpec,
    StreamEvent,
)
from tgllm.plugins.discovery import FoundPlugin
from tgllm.services.models.registry import ProviderRegistry


class Plain(Provider):
    """Has no models; ``closing`` happens when it is closed."""

    def __init__(self, closing: Callable[[], Awaitable[object]] | None = None) -> None:
        self.closing = closing
        self.closed = 0

    async def list_models(self) -> Sequence[ModelInfo]:
        return ()

    async def generate(self, request: ChatRequest) -> AsyncGenerator[StreamEvent, None]:
        raise NotImplementedError
        yield

    async def aclose(self) -> None:
        self.closed += 1
        if self.closing is not None:
            await self.closing()


def spec(provider_id: str, make: Callable[[], object] = Plain, aliases: tuple[str, ...] = ()) -> ProviderSpec:
    return ProviderSpec(provider_id, provider_id, lambda _ctx: cast("Provider", make()), aliases)


async def registry_of(load_host: LoadHost, *found: FoundPlugin, **seconds: float) -> ProviderRegistry:
    return ProviderRegistry(await load_host(*found), **seconds)


async def test_models_are_found_by_id_and_by_alias(load_host: LoadHost, offer: Offer) -> None:
    registry = await registry_of(load_host, offer(spec("dipseek", aliases=("deepseek",)), spec("alpha")))
    assert registry.ids == ("alpha", "dipseek")
    assert registry.resolve("dipseek/a/b") == ModelRef("dipseek", "a/b")
    assert registry.resolve("deepseek/chat") == ModelRef("dipseek", "chat")


@pytest.mark.parametrize(
    ("text", "code", "words"),
    [
        ("dipsek/chat", "provider_unknown_near", "dipseek"),
        ("depseek/chat", "provider_unknown_near", "deepseek"),
        ("xyz/chat", "provider_unknown", "alpha, dipseek"),
        ("chat", "model_ref", "provider/model"),
    ],
)
async def test_a_model_that_is_not_there_is_told_with_the_nearest(
    load_host: LoadHost, offer: Offer, text: str, code: str, words: str
) -> None:
    registry = await registry_of(load_host, offer(spec("dipseek", aliases=("deepseek",)), spec("alpha")))
    with pytest.raises(ModelNotFound, match=words) as caught:
        registry.resolve(text)
    assert caught.value.code == code


async def test_without_any_provider_that_is_told(load_host: LoadHost) -> None:
    registry = await registry_of(load_host)
    with pytest.raises(ModelNotFound, match="there are: -"):
        await registry.provider("echo")


async def test_a_provider_is_made_once_on_first_use(load_host: LoadHost, offer: Offer) -> None:
    made: list[Plain] = []

    def make() -> Plain:
        made.append(Plain())
        return made[-1]

    registry = await registry_of(load_host, offer(spec("alpha", make)))
    assert made == []
    first, second = await asyncio.gather(registry.provider("alpha"), registry.provider("alpha"))
    assert first is second is made[0]
    assert len(made) == 1


async def test_it_is_made_with_the_context_of_its_plugin_and_not_on_the_loop(load_host: LoadHost, offer: Offer) -> None:
    contexts: list[PluginContext] = []
    threads: list[threading.Thread] = []

    def make(context: PluginContext) -> Provider:
        contexts.append(context)
        threads.append(threading.current_thread())
        return Plain()

    registry = await registry_of(load_host, offer(ProviderSpec("alpha", "Alpha", make), plugin_id="owner"))
    await registry.provider("alpha")
    assert contexts[0].plugin_id == "owner"
    assert threads[0] is not threading.main_thread()
    assert threads[0].daemon


async def test_the_providers_of_a_quarantined_plugin_are_gone(load_host: LoadHost, offer: Offer) -> None:
    host = await load_host(offer(spec("alpha"), plugin_id="bad"), offer(spec("beta"), plugin_id="good"))
    registry = ProviderRegistry(host)
    await registry.provider("alpha")
    host.quarantine("bad", "it is bad")
    assert registry.ids == ("beta",)
    with pytest.raises(ModelNotFound):
        await registry.provider("alpha")


@pytest.mark.parametrize("error", [NotConfigured("no key"), AuthFailed("no")])
async def test_errors_of_the_contract_are_passed_on(load_host: LoadHost, offer: Offer, error: ProviderError) -> None:
    def make() -> Provider:
        raise error

    registry = await registry_of(load_host, offer(spec("alpha", make)))
    with pytest.raises(type(error)) as caught:
        await registry.provider("alpha")
    assert caught.value is error


@pytest.mark.parametrize("error", [KeyError("sdk"), SystemExit(3), KeyboardInterrupt(), asyncio.CancelledError()])
async def test_any_other_error_is_the_plugins_fault(load_host: LoadHost, offer: Offer, error: BaseException) -> None:
    def make() -> Provider:
        raise error

    registry = await registry_of(load_host, offer(spec("alpha", make)))
    with pytest.raises(ProviderError, match=type(error).__name__) as caught:
        await registry.provider("alpha")
    assert (caught.value.code, caught.value.params) == ("provider_broken", {"provider": "alpha"})


async def test_what_is_no_provider_is_the_plugins_fault(load_host: LoadHost, offer: Offer) -> None:
    registry = await registry_of(load_host, offer(spec("alpha", lambda: None)))
    with pytest.raises(ProviderError, match="NoneType") as caught:
        await registry.provider("alpha")
    assert caught.value.code == "provider_broken"
    await registry.aclose()


async def test_a_provider_that_failed_is_tried_anew(load_host: LoadHost, offer: Offer) -> None:
    results: list[Plain | Exception] = [NotConfigured("no key"), Plain()]

    def make() -> Plain:
        result = results.pop(0)
        if isinstance(result, Exception):
            raise result
        return result

    registry = await registry_of(load_host, offer(spec("alpha", make)))
    with pytest.raises(NotConfigured):
        await registry.provider("alpha")
    assert await registry.provider("alpha")


async def test_a_start_that_hangs_is_given_up_and_keeps_nothing_from_ending(load_host: LoadHost, offer: Offer) -> None:
    release = threading.Event()
    threads: list[threading.Thread] = []

    def make() -> Provider:
        threads.append(threading.current_thread())
        release.wait()
        return Plain()

    # Long enough for the other one.
    registry = await registry_of(load_host, offer(spec("alpha", make), spec("beta")), create_seconds=1.0)
    with pytest.raises(ProviderError, match="did not end") as caught:
        await registry.provider("alpha")
    assert caught.value.code == "provider_broken"
    assert threads[0].daemon
    assert await registry.provider("beta")
    release.set()


async def test_our_own_cancellation_passes_while_a_provider_starts(load_host: LoadHost, offer: Offer) -> None:
    started, release = asyncio.Event(), threading.Event()
    loop = asyncio.get_running_loop()

    def make() -> Provider:
        loop.call_soon_threadsafe(started.set)
        release.wait()
        return Plain()

    registry = await registry_of(load_host, offer(spec("alpha", make)))
    asking = asyncio.create_task(registry.provider("alpha"))
    await started.wait()
    asking.cancel()
    with pytest.raises(asyncio.CancelledError):
        await asking
    release.set()


async def test_providers_that_were_made_are_closed_once(load_host: LoadHost, offer: Offer) -> None:
    used, unused = Plain(), Plain()
    registry = await registry_of(load_host, offer(spec("used", lambda: used), spec("unused", lambda: unused)))
    await registry.provider("used")
    await registry.aclose()
    await registry.aclose()
    assert (used.closed, unused.closed) == (1, 0)


@pytest.mark.parametrize("error", [ValueError("bang"), SystemExit(3), asyncio.CancelledError()])
async def test_one_that_fails_to_close_does_not_keep_others_open(
    load_host: LoadHost, offer: Offer, error: BaseException
) -> None:
    async def fail() -> None:
        raise error

    providers = {"alpha": Plain(fail), "beta": Plain()}
    specs = [spec(name, lambda name=name: providers[name]) for name in providers]
    registry = await registry_of(load_host, offer(*specs))
    for name in providers:
        await registry.provider(name)
    await registry.aclose()
    assert [provider.closed for provider in providers.values()] == [1, 1]


async def test_one_that_does_not_end_its_closing_is_left_alone(load_host: LoadHost, offer: Offer) -> None:
    release = asyncio.Event()

    async def hang() -> None:
        while not release.is_set():
            try:
                await release.wait()
            except asyncio.CancelledError:
                continue

    providers = {"alpha": Plain(hang), "beta": Plain()}
    specs = [spec(name, lambda name=name: providers[name]) for name in providers]
    registry = await registry_of(load_host, offer(*specs), close_seconds=0.01, grace_seconds=0.01)
    for name in providers:
        await registry.provider(name)
    await registry.aclose()
    assert providers["beta"].closed == 1
    release.set()
