"""Checks of what plugins return."""
