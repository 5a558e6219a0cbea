"""Handlers of the kinds of updates."""
