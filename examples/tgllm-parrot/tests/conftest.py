"""The emulated Telegram and the bot on it."""

pytest_plugins = ["tgllm.testing.fixtures"]
