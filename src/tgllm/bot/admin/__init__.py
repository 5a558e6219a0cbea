"""Administration in Telegram: a table of commands, each also a screen with buttons."""
