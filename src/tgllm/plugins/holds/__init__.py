"""Blocks of the event loop: whose code, for how long, and their end."""
