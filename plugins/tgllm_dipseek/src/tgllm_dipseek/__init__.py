"""DeepSeek provider for tgllm; ``tgllm_dipseek.plugin`` has the hooks, ``tgllm_dipseek.settings`` the settings."""

__version__ = "1.0.0"

__all__ = ["__version__"]
