"""Settings and fixtures that all tests of the kit share."""

from collections.abc import AsyncGenerator, Sequence
from pathlib import Path
from typing import ClassVar

import pytest
import pytest_asyncio

from tgllm.providers.network import VARIABLE
from tgllm.testing.conformance.network.watching import forbid_blocking_sockets
from tgllm.testing.conformance.subject import Subject, open_subject
from tgllm.testing.conformance.under_test import ProviderUnderTest

__all__ = ["SETTINGS", "Kit"]

SETTINGS = frozenset({"allowed_imports", "exempt", "plugin", "seconds", "under_test", "wrong_settings"})
"""Attributes that a subclass of the kit may set."""


@pytest.mark.asyncio
class Kit:
    """Base class with the settings and fixtures of the kit."""

    plugin: ClassVar[str]
    """The plugin as in its entry point: ``package.module`` or ``package.module:attribute``."""
    under_test: ClassVar[type[ProviderUnderTest]]
    """Class of the service that the provider uses."""
    allowed_imports: ClassVar[frozenset[str]] = frozenset()
    """Libraries besides pydantic that the plugin's module may import, because they are as fast to import."""
    wrong_settings: ClassVar[Sequence[tuple[str, object]]] = ()
    """Fields of the plugin's settings, each with an invalid value."""
    seconds: ClassVar[float] = 10.0
    """Timeout of an answer."""

    @pytest.fixture(autouse=True)
    def no_real_requests(self, monkeypatch: pytest.MonkeyPatch) -> None:
        """Forbid requests to other machines: tests cost nothing and need no network."""
        monkeypatch.setenv(VARIABLE, "0")

    @pytest.fixture(autouse=True)
    def no_blocking_sockets(self, monkeypatch: pytest.MonkeyPatch) -> None:
        """Let blocking connections on the event loop fail, since they would never end."""
        forbid_blocking_sockets(monkeypatch)

    @pytest_asyncio.fixture
    async def subject(self, tmp_path: Path) -> AsyncGenerator[Subject, None]:
        """Provide the created provider and its running service."""
        async with open_subject(self.plugin, self.under_test(), tmp_path, self.seconds) as subject:
            yield subject
