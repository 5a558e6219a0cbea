"""Streaming of an answer into its chat: displays, pace, preview, outcome."""
