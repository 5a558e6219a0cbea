"""Replies and other messages of plugins: checked, composed, and stored with their buttons."""
