"""The DeepSeek API: bodies and streams."""
