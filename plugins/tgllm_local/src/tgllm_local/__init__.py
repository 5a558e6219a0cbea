"""Provider for GGUF files; ``tgllm_local.plugin`` has the hooks, ``tgllm_local.settings`` the settings."""

__version__ = "1.0.0"

__all__ = ["__version__"]
