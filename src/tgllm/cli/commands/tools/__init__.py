"""Subcommands of ``tgllm tools``."""
