"""Subcommands of ``tgllm invites``."""
