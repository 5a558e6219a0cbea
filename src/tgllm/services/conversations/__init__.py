"""Conversations as values: history, branches, the request to a model, summaries."""
