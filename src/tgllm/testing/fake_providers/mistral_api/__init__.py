"""The Mistral API: bodies and streams."""
