"""Services with OpenAI's format for tgllm; ``tgllm_openai.plugin`` has the hooks, ``.settings`` the settings."""

__version__ = "1.0.0"

__all__ = ["__version__"]
