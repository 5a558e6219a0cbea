"""Services to offer: settings and preset of each together."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final
from urllib.parse import urlsplit

from tgllm.api.errors import NotConfigured
from tgllm_openai.presets import Preset, custom, load_presets, preset_name
from tgllm_openai.settings import Common, Service, Settings

__all__ = ["OWN", "ServiceSetup", "offered", "setup_of"]

OWN: Final = "openai"
"""The service whose settings are those of the plugin itself."""
_KEPT: Final = frozenset({"services", "use", "common_keys"})


@dataclass(frozen=True, slots=True)
class ServiceSetup:
    """A service with its settings."""

    id: str
    preset: Preset
    settings: Common
    key: str
    """Without white space around it; empty if there is none."""
    field: str
    """Where its settings are, as ``plugins.openai.services.groq``."""

    @property
    def title(self) -> str:
        """Name for people."""
        return self.settings.title or self.preset.title

    @property
    def base_url(self) -> str:
        """Address of the API; empty if the operator has to set it. One without a path gets that of the preset."""
        own, known = self.settings.base_url.rstrip("/"), self.preset.base_url
        path = urlsplit(known).path if known else self.preset.path
        return (own if urlsplit(own).path else own + path) if own else known

    @property
    def variable(self) -> str:
        """Variable of the environment for the key."""
        return self.preset.key or f"TGLLM_{self.field.replace('.', '__')}__API_KEY".upper()

    @property
    def idle_seconds(self) -> float:
        """Idle timeout of a response."""
        return self.settings.timeout_seconds or (600.0 if self.preset.local else 120.0)

    def check(self) -> None:
        """Check that requests can be sent.

        Raises:
            NotConfigured: the key or the address is missing; names the setting.
        """
        if not self.base_url:
            setting = f"{self.field}.base_url"
            raise NotConfigured(f"{self.title} has no address: set {setting} ({self.preset.note})", setting=setting)
        if not self.key and self.preset.needs_key:
            raise NotConfigured(
                f"{self.title} has no key: set {self.variable}, or {self.field}.api_key", variable=self.variable
            )


def offered(settings: Settings) -> Mapping[str, ServiceSetup]:
    """Return the services by provider id.

    ``openai`` is among them if it has a key or another setting, or if there is no other service.
    """
    others = {name: Service() for name in settings.use} | settings.services
    names = [*others]
    if not others or settings.model_fields_set - _KEPT:
        names = [OWN, *(name for name in names if name != OWN)]
    return {name: setup_of(settings, name) for name in names}


def setup_of(settings: Settings, name: str) -> ServiceSetup:
    """Return a service by its provider id."""
    if name == OWN:
        return _setup(OWN, load_presets()[OWN], settings, settings.common_keys.get("OPENAI_API_KEY"), f"plugins.{OWN}")
    service = settings.services.get(name) or Service()
    known = load_presets().get(service.preset or preset_name(name))
    preset = custom(name, service.base_url) if known is None else known
    return _setup(name, preset, service, settings.common_keys.get(preset.key), f"plugins.{OWN}.services.{name}")


def _setup(name: str, preset: Preset, settings: Common, common: object, field: str) -> ServiceSetup:
    secret = settings.api_key or common
    value = getattr(secret, "get_secret_value", str)()
    return ServiceSetup(name, preset, settings, value.strip(), field)
