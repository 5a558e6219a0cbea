"""Dipseek for tgllm: the plugin is in ``tgllm_dipseek.plugin``, its settings in ``tgllm_dipseek.settings``."""

__version__ = "0.1.0"

__all__ = ["__version__"]
