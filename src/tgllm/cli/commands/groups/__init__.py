"""`tgllm groups`."""
