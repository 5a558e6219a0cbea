"""What the bot says of itself to its operator: the log, and what is blotted out of it."""
