"""Reference to a model."""

from dataclasses import dataclass
from typing import Self

from tgllm.api.errors import ModelNotFound

__all__ = ["ModelRef"]


@dataclass(frozen=True, slots=True)
class ModelRef:
    """Reference to a model, ``provider/model``; split at the first slash, so model ids may contain slashes."""

    provider: str
    model: str

    @classmethod
    def parse(cls, text: str) -> Self:
        """Parse a reference such as ``"mistral/mistral-small-2603"``.

        Raises:
            ModelNotFound: the text has no slash, or one side of it is empty.
        """
        provider, slash, model = text.strip().partition("/")
        if not (provider and slash and model):
            raise ModelNotFound(f"{text!r} is no model reference: write provider/model", code="model_ref", ref=text)
        return cls(provider, model)

    def __str__(self) -> str:
        return f"{self.provider}/{self.model}"
