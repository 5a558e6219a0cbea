"""Web server for monitoring: whether the bot lives and is ready, and its metrics."""
