"""Text and its formatting: entities, parse modes, rich messages, keyboards."""
