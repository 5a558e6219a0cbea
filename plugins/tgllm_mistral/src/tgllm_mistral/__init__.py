"""Mistral provider for tgllm; ``tgllm_mistral.plugin`` has the hooks, ``tgllm_mistral.settings`` the settings."""

__version__ = "1.0.0"

__all__ = ["__version__"]
