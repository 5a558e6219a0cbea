"""``tgllm plugins new``: the package of a new plugin."""
