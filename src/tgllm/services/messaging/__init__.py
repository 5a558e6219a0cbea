"""Outbox rows, and messages to admins and people; the only room of the services that names Bot API methods."""
