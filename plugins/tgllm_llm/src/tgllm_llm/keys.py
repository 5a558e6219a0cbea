"""The error for a model whose key is missing."""

from tgllm.api.errors import NotConfigured

__all__ = ["no_key"]


def no_key(model: str, key: str, variable: str) -> NotConfigured:
    """Return the error for a model without its key.

    Args:
        model: the model.
        key: llm's name for the key.
        variable: environment variable of the key; empty if there is none.
    """
    ways = [f"`llm keys set {key}`", f"plugins.llm.keys.{key}", variable]
    return NotConfigured(
        f"{model} needs a key: set {' or '.join(filter(None, ways))}", variable=variable or f"plugins.llm.keys.{key}"
    )
