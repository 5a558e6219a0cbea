"""Subcommands of ``tgllm config``."""
