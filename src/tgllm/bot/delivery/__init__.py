"""From outbox rows to messages in the chat: calls, fallbacks, uncertain calls, the sender."""
