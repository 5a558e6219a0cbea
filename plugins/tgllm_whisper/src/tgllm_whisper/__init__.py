"""Transcriber of speech; ``tgllm_whisper.plugin`` has the hooks, ``tgllm_whisper.settings`` the settings."""

__version__ = "1.0.0"

__all__ = ["__version__"]
