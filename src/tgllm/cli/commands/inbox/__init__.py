"""``tgllm inbox``."""
