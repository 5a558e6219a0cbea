"""The plugins that come with tgllm; they use the hooks that all plugins use."""
