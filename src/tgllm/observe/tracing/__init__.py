"""Traces of turns: spans that any part of the bot may open, and their export by OpenTelemetry."""
