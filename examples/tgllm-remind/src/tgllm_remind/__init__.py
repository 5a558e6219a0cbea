"""Reminders for bots made with tgllm."""

__version__ = "1.0.0"
