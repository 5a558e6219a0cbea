"""Broadcasts: messages from an admin to all users."""
