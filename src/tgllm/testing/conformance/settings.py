"""Tests of the plugin's settings, including the key."""

from collections.abc import Mapping
from pathlib import Path
from typing import cast

from pydantic import BaseModel

from tgllm.api import NotConfigured
from tgllm.testing.conformance.checking import check, raising
from tgllm.testing.conformance.kit import Kit
from tgllm.testing.conformance.loading import create, doctor, loaded, plugin_info, record
from tgllm.testing.conformance.recording import RecordedLog
from tgllm.testing.conformance.subject import secret_of
from tgllm.testing.conformance.under_test import ProviderUnderTest

__all__ = ["SettingsTests"]

_SHORTEST = 8
"""Characters; a shorter key may be part of an ordinary word."""


class SettingsTests(Kit):
    """The key, and invalid settings."""

    async def test_without_a_key_it_says_what_to_set(self, tmp_path: Path) -> None:
        """Without a key ``create`` raises NotConfigured, which names the environment variable of the key."""
        service = self.under_test()
        async with service, loaded(self.plugin, _without_key(service), tmp_path, RecordedLog()) as owned:
            with raising(NotConfigured, "create is called without a key") as caught:
                await create(owned)
        told = f"{caught.value} {caught.value.params}"
        variables = self._variables(service.key_setting)
        check(
            any(variable in told for variable in variables),
            f"the error does not name the variable of the key ({' or '.join(variables)}): {told}",
        )

    async def test_the_settings_hide_the_key(self, tmp_path: Path) -> None:
        """The field of the key is a secret, so that settings in a log do not show the key."""
        service = self.under_test()
        async with service, loaded(self.plugin, service.settings, tmp_path, RecordedLog()) as owned:
            settings, secret = owned.context.settings, secret_of(service)
        texts = [repr(settings), str(settings)]
        if isinstance(settings, BaseModel):
            texts.append(repr(settings.model_dump()))
        check(
            not any(_shows(secret, text) for text in texts),
            f"the settings show the key: make {service.key_setting} a SecretStr",
        )

    async def test_the_doctor_knows_of_the_key(self, tmp_path: Path) -> None:
        """``tgllm_doctor``, if implemented, does not show the key, and reports a missing one."""
        service = self.under_test()
        async with service:
            secret, told = secret_of(service), await doctor(self.plugin, service.settings, tmp_path)
            missing = await doctor(self.plugin, _without_key(service), tmp_path)
            needed = await self._needs_a_key(service, tmp_path)
        check(not _shows(secret, repr(told)), "a check of tgllm_doctor shows the key")
        well = missing and needed and all(one.state == "ok" for one in missing)
        check(not well, f"there is no key, and tgllm_doctor reports no problem: {missing}")

    async def test_a_wrong_setting_is_refused_by_name(self, tmp_path: Path) -> None:
        """Each of ``wrong_settings`` keeps the bot from starting, with a reason that names the setting."""
        service = self.under_test()
        async with service:
            for field, value in self.wrong_settings:
                found = await record(self.plugin, {**service.settings, field: value}, tmp_path)
                check(found.state == "misconfigured", f"the plugin accepts {value!r} as {field}")
                check(field in found.reason, f"the reason does not name {field}: {found.reason}")

    def _variables(self, field: str) -> list[str]:
        info = plugin_info(self.plugin)
        own = f"TGLLM_PLUGINS__{info.id}__{field}".upper().replace(".", "__")
        return [info.env[field], own] if field in info.env else [own]

    async def _needs_a_key(self, service: ProviderUnderTest, data_dir: Path) -> bool:
        async with loaded(self.plugin, _without_key(service), data_dir, RecordedLog()) as owned:
            try:
                provider = await create(owned)
            except NotConfigured:
                return True
        await provider.aclose()
        return False


def _shows(secret: str, text: str) -> bool:
    return len(secret) >= _SHORTEST and secret in text


def _without_key(service: ProviderUnderTest) -> Mapping[str, object]:
    return _without(service.settings, service.key_setting)


def _without(settings: Mapping[str, object], field: str) -> Mapping[str, object]:
    """Return settings without a field, which may be inside a table: ``keys.service``."""
    name, _, inner = field.partition(".")
    table = settings.get(name)
    kept = {each: value for each, value in settings.items() if each != name}
    if not inner or not isinstance(table, Mapping):
        return kept
    return {**kept, name: _without(cast("Mapping[str, object]", table), inner)}
