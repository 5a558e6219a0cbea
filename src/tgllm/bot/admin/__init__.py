"""What admins do from inside Telegram: one table of commands, each also a screen with buttons."""
