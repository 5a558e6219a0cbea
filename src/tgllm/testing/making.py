"""Creates the provider of a plugin as the bot does, for tests of providers."""

from collections.abc import AsyncGenerator, Awaitable, Callable
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, TypeAlias

from tgllm.api import Clock
from tgllm.testing.conformance.loading import create, loaded
from tgllm.testing.conformance.recording import RecordedLog

__all__ = ["Make", "provider_maker"]

Make: TypeAlias = Callable[..., Awaitable[Any]]
"""Creates a provider; keywords are settings of the plugin that override those of ``provider_maker``."""


@asynccontextmanager
async def provider_maker(plugin: str, *, clock: Clock | None = None, **settings: object) -> AsyncGenerator[Make]:
    """Yield a function that creates the first provider of a plugin; all providers are closed at the end.

    Args:
        plugin: as in its entry point: ``package.module`` or ``package.module:attribute``.
        clock: the plugin's clock; a ``HurriedClock`` by default.
        settings: the plugin's settings, such as the key and the address of a fake.

    Raises:
        AssertionError: by the function: the plugin can't be loaded with these settings, or offers no provider.
    """
    async with AsyncExitStack() as stack:
        folder = Path(stack.enter_context(TemporaryDirectory()))

        async def make(**changes: object) -> Any:  # noqa: ANN401  of the plugin's own class
            owned = await stack.enter_async_context(
                loaded(plugin, {**settings, **changes}, folder, RecordedLog(), clock)
            )
            provider = await create(owned)
            stack.push_async_callback(provider.aclose)
            return provider

        yield make
