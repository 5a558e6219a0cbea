"""Anthropic provider for tgllm; ``tgllm_anthropic.plugin`` has the hooks, ``tgllm_anthropic.settings`` the settings."""

__version__ = "1.0.0"

__all__ = ["__version__"]
