"""Google Gemini for tgllm: the plugin is in ``tgllm_gemini.plugin``, its settings in ``tgllm_gemini.settings``."""

__version__ = "0.1.0"

__all__ = ["__version__"]
