"""Tools to test bots and plugins without Telegram, keys or network."""
