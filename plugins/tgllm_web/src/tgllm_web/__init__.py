"""Web search and pages for tgllm; ``tgllm_web.plugin`` has the hooks, ``tgllm_web.settings`` the settings."""

__version__ = "1.0.0"

__all__ = ["__version__"]
