"""Texts and formatting: entities, parse modes, rich messages, keyboards."""
