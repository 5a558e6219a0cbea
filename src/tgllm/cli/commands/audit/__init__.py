"""The command ``tgllm audit``."""
