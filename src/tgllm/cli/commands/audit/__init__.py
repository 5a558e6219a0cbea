"""`tgllm audit`."""
