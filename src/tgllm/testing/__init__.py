"""Test tools for bots and plugins, without Telegram, keys or network."""
