"""Subcommands of ``tgllm groups``."""
