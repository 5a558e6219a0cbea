"""`tgllm models`."""
