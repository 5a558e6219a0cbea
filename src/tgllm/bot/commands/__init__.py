"""The chat commands, a module for each."""
