"""Rows of the outbox, and messages to admins and people. The only room of the services that names Bot API methods."""
