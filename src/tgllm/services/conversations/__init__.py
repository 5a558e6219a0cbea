"""Conversations: history, branches, summaries, and the request built from them."""
