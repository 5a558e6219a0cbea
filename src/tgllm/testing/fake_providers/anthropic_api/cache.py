"""The prompt cache: which beginning of a conversation an earlier request has left."""

from tgllm.testing.fake_providers.anthropic_api.body import CountBody
from tgllm.testing.fake_providers.base.wire import estimate_tokens

__all__ = ["PromptCache"]


class PromptCache:
    """Beginnings of conversations, without their ages; files count as nothing.

    ``minimum`` is the number of tokens below which nothing is cached, which differs from model to model.
    """

    def __init__(self, minimum: int = 1024) -> None:
        self.minimum = minimum
        self._kept: dict[str, set[str]] = {}

    def use(self, body: CountBody) -> tuple[int, int]:
        """Return the tokens that are read from the cache and those that are written to it, and write them."""
        if not body.marks:
            return 0, 0
        whole = body.text
        kept = self._kept.setdefault(body.model, set())
        found = max((text for text in kept if whole.startswith(text)), key=len, default="")
        read, tokens = estimate_tokens(found), estimate_tokens(whole)
        if tokens < self.minimum:
            return 0, 0
        kept.add(whole)
        if body.system_text and estimate_tokens(body.system_text) >= self.minimum:
            kept.add(body.system_text)
        return read, tokens - read
