"""Anthropic's Messages API: request bodies and their checks, models, responses, the prompt cache."""
