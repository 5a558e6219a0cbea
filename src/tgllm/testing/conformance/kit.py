"""What the tests of the kit share: what is tested, and the provider made for each test."""

from collections.abc import AsyncGenerator
from pathlib import Path
from typing import ClassVar

import pytest
import pytest_asyncio

from tgllm.providers.network import VARIABLE
from tgllm.testing.conformance.subject import Subject, open_subject
from tgllm.testing.conformance.under_test import ProviderUnderTest

__all__ = ["SETTINGS", "Kit"]

SETTINGS = frozenset({"allowed_imports", "exempt", "plugin", "seconds", "under_test"})
"""What a subclass of the kit may set."""


@pytest.mark.asyncio
class Kit:
    """The settings of the kit, and its fixtures."""

    plugin: ClassVar[str]
    """The plugin as its entry point names it: ``package.module`` or ``package.module:attribute``."""
    under_test: ClassVar[type[ProviderUnderTest]]
    """The service behind the provider."""
    allowed_imports: ClassVar[frozenset[str]] = frozenset()
    """Libraries that the plugin's module may import, beside pydantic: those that load as quickly as it does."""
    seconds: ClassVar[float] = 10.0
    """How long one answer may take."""

    @pytest.fixture(autouse=True)
    def no_real_requests(self, monkeypatch: pytest.MonkeyPatch) -> None:
        """Forbid requests to other machines, so that a test costs nothing and needs no network."""
        monkeypatch.setenv(VARIABLE, "0")

    @pytest_asyncio.fixture
    async def subject(self, tmp_path: Path) -> AsyncGenerator[Subject, None]:
        """The provider, created, and its service, running."""
        async with open_subject(self.plugin, self.under_test(), tmp_path, self.seconds) as subject:
            yield subject
