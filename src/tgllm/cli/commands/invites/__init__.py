"""`tgllm invites`."""
