"""Parts of readers of streamed answers."""
