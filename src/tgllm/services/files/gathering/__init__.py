"""From attachments to parts of requests: received, read, and given their share of the context."""
