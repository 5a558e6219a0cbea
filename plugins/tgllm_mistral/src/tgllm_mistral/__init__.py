"""Mistral for tgllm: the plugin is in ``tgllm_mistral.plugin``, its settings in ``tgllm_mistral.settings``."""

__version__ = "0.1.0"

__all__ = ["__version__"]
