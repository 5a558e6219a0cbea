"""Texts with their entities, and as Markdown."""
