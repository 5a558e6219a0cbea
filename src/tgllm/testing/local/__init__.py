"""Plugins in folders that are not installed, for the demo."""
