"""Bot API methods with a specific implementation."""
