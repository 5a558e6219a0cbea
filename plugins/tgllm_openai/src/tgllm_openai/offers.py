"""Services that ``tgllm init`` offers."""

from collections.abc import Iterator

from tgllm.api.provider import ProviderPreset
from tgllm_openai.presets import load_presets
from tgllm_openai.services import OWN

__all__ = ["offers"]

_OTHERS = frozenset({"anthropic_compat", "deepseek", "gemini_compat", "mistral"})
"""Services for which there are packages of their own."""


def offers() -> Iterator[ProviderPreset]:
    """Yield the presets, and last a service of the operator's own."""
    for preset in load_presets().values():
        if preset.id != OWN and preset.id not in _OTHERS:
            yield ProviderPreset(
                preset.id,
                preset.title,
                settings={f"services.{preset.id}.preset": preset.id},
                key=f"services.{preset.id}.api_key",
                needs_key=preset.needs_key,
                variable=preset.key,
                address=f"services.{preset.id}.base_url",
                needs_address=not preset.base_url,
            )
    yield ProviderPreset(
        "my_server",
        "A service of your own",
        key="services.my_server.api_key",
        needs_key=False,
        address="services.my_server.base_url",
        needs_address=True,
    )
