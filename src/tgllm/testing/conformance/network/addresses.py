"""Tests of the address of the service, of proxies, and of a service that falls silent."""

from collections.abc import AsyncGenerator, Mapping
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
from pydantic import BaseModel

from tgllm.api import ProviderError, Unavailable
from tgllm.providers.network import VARIABLE
from tgllm.testing.conformance.checking import check, offered, raising
from tgllm.testing.conformance.kit import Kit
from tgllm.testing.conformance.loading import loaded
from tgllm.testing.conformance.network.catcher import catching
from tgllm.testing.conformance.recording import RecordedLog
from tgllm.testing.conformance.subject import Subject, open_provider
from tgllm.testing.conformance.under_test import ProviderUnderTest

__all__ = ["AddressTests"]

_HOST = "service.invalid"
"""A name that no resolver knows (RFC 6761), so that no request can leave this machine."""
_PROXY_VARIABLES = ("http_proxy", "https_proxy", "all_proxy", "no_proxy")
_SILENCE = 0.2


class AddressTests(Kit):
    """Each way to write an address works, and the requests go through the proxy."""

    async def test_every_form_of_the_address_works(self, tmp_path: Path) -> None:
        """An address with a slash at its end, or with a path, as of a gateway, leads to the service."""
        service, wrong = self.under_test(), dict[str, str]()
        async with service:
            for name, settings in service.addresses().items():
                async with self._provider(service, settings, tmp_path) as subject:
                    if complaint := await _unreachable(subject):
                        wrong[name] = complaint
        check(not wrong, f"with these forms of the address it does not work: {wrong}")

    @pytest.mark.parametrize("given", ["setting", "variable"])
    async def test_a_proxy_is_used(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, given: str) -> None:
        """Requests to another machine go through the proxy of the setting ``proxy``, or of ``HTTP_PROXY``."""
        service = self.under_test()
        async with service, catching() as proxy:
            if service.address_setting not in service.settings:
                pytest.skip(f"the plugin has no setting {service.address_setting}")
            address = f"http://127.0.0.1:{proxy.port}"
            settings = {**service.settings, service.address_setting: f"http://{_HOST}"}
            for name in _PROXY_VARIABLES:
                monkeypatch.delenv(name, raising=False)
                monkeypatch.delenv(name.upper(), raising=False)
            # Nothing can be reached but the proxy.
            monkeypatch.setenv(VARIABLE, "1")
            if given == "variable":
                monkeypatch.setenv("http_proxy", address)
                monkeypatch.setenv("HTTP_PROXY", address)
            elif await self._has(service, "proxy", tmp_path):
                settings["proxy"] = address
            else:
                pytest.skip("the plugin has no setting proxy")
            async with self._provider(service, settings, tmp_path) as subject:
                with raising(ProviderError, "the proxy has closed the connection"):
                    await subject.hear(subject.ask("Hello"))
        used = [head for head in proxy.received if _HOST in head.partition("\r\n")[0]]
        check(used, f"the proxy of the {given} was not asked for {_HOST}; it received {proxy.received}")

    async def test_silence_is_an_error(self, tmp_path: Path) -> None:
        """After ``timeout_seconds`` without a byte, if there is this setting, the answer ends with Unavailable."""
        service = self.under_test()
        async with service:
            if not await self._has(service, "timeout_seconds", tmp_path):
                pytest.skip("the plugin has no setting timeout_seconds")
            settings = {**service.settings, "timeout_seconds": _SILENCE}
            offered("stall", lambda: service.stall("The beginning "))
            async with self._provider(service, settings, tmp_path) as subject:
                with raising(Unavailable, f"the service sends nothing for timeout_seconds ({_SILENCE})"):
                    await subject.hear(subject.ask("Go"))

    @asynccontextmanager
    async def _provider(
        self, service: ProviderUnderTest, settings: Mapping[str, object], data_dir: Path
    ) -> AsyncGenerator[Subject]:
        async with open_provider(self.plugin, service, settings, data_dir, self.seconds) as subject:
            yield subject

    async def _has(self, service: ProviderUnderTest, setting: str, data_dir: Path) -> bool:
        """Return whether the plugin has a setting with this name."""
        async with loaded(self.plugin, service.settings, data_dir, RecordedLog()) as owned:
            settings = owned.context.settings
        return isinstance(settings, BaseModel) and setting in type(settings).model_fields


async def _unreachable(subject: Subject) -> str:
    """Return why the service does not answer; empty if it does."""
    try:
        heard = await subject.hear(subject.ask("Hello"))
        await subject.provider.list_models()
    except ProviderError as error:
        return repr(error)
    return "" if heard.text == "Hello" else f"the answer became {heard.text!r}"
