"""Rows of the outbox, and messages to admins and people; no other room of the services names Bot API methods."""
