"""Every model of the plugins of the ``llm`` package, for bots made with tgllm."""

__version__ = "1.0.0"
