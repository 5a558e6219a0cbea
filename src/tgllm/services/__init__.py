"""What the bot does, with no Telegram in it: the rules for users, turns, models and stopping."""
