"""Turns from messages: addressing, prompt, albums, split texts, edits, stopping."""
