"""Google Gemini provider for tgllm; ``tgllm_gemini.plugin`` has the hooks, ``tgllm_gemini.settings`` the settings."""

__version__ = "1.0.0"

__all__ = ["__version__"]
