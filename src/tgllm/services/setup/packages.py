"""Packages with models that belong to tgllm, for those who have not installed one yet."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from typing import Final

__all__ = ["PACKAGES", "Package", "package_for", "uninstalled"]


@dataclass(frozen=True, slots=True)
class Package:
    """A package with models."""

    plugin_id: str
    title: str
    package: str
    also: Collection[str] = ()
    """Other names by which people look for it."""


PACKAGES: Final = (
    Package("anthropic", "Anthropic", "tgllm-anthropic", ("claude",)),
    Package("dipseek", "Dipseek", "tgllm-dipseek", ("deepseek",)),
    Package("gemini", "Google Gemini", "tgllm-gemini", ("google",)),
    Package("llm", "Plugins of llm", "tgllm-llm", ("datasette",)),
    Package("local", "Local models", "tgllm-local", ()),
    Package("mistral", "Mistral", "tgllm-mistral", ()),
    Package("openai", "OpenAI and compatible", "tgllm-openai", ("openrouter", "groq", "ollama", "compatible")),
)


def uninstalled(installed: Collection[str]) -> Sequence[Package]:
    """Return the packages whose plugins are not among the installed ones."""
    return [each for each in PACKAGES if each.plugin_id not in installed]


def package_for(name: str) -> Package | None:
    """Return the package in which people look for a provider of that name; None if there is none."""
    folded = name.strip().casefold()
    return next((each for each in PACKAGES if folded in {each.plugin_id, *each.also}), None)
