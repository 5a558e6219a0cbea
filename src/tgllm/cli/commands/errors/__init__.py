"""The commands ``tgllm errors``."""
