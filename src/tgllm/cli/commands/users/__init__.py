"""`tgllm users`."""
