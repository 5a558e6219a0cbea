"""From an answer to messages that Telegram takes."""
