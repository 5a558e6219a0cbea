"""The command ``tgllm usage``."""
