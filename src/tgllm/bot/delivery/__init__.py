"""Delivery of outbox rows: calls, fallbacks, uncertain calls, the sender."""
