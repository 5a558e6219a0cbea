"""Subcommands of ``tgllm users``."""
