"""Subcommands of ``tgllm models``."""
