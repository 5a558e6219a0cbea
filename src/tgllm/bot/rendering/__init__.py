"""Converts a model's Markdown to messages that Telegram accepts."""
