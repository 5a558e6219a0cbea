"""`tgllm usage`."""
