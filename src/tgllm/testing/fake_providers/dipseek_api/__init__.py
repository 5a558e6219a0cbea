"""The DeepSeek API: request bodies and responses."""
