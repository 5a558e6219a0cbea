"""The Mistral API: request bodies and responses."""
