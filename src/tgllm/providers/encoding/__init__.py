"""Parts of encoders of requests."""
