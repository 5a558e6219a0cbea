"""Subcommands of ``tgllm plugins``."""
