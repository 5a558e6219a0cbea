"""``tgllm demo``: the bot without any setup, with plugins that are being written."""
