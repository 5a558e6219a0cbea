"""A question on its way: its body, and how the body changes if the service does not accept it."""

import asyncio
from collections.abc import Callable
from typing import Self, TypeVar

from tgllm.api.errors import ProviderError
from tgllm.api.types import ChatRequest
from tgllm.providers.attachments import has_files
from tgllm.providers.json_values import encode_json
from tgllm.providers.rejected_fields import Draft, of_error
from tgllm_anthropic.errors import Outdated
from tgllm_anthropic.request import Encoder, wanted_fields

__all__ = ["Question", "in_thread"]

T = TypeVar("T")


class Question:
    """An encoded request for an answer."""

    def __init__(self, request: ChatRequest, encoder: Encoder, body: bytes) -> None:
        """Begin with the request as it is encoded first; see ``encoded``."""
        self._request = request
        self._encoder = encoder
        self._draft = Draft(body)
        self._replays = True

    @classmethod
    async def encoded(cls, request: ChatRequest, encoder: Encoder) -> Self:
        """Encode a request, with the reasoning of earlier answers."""
        return cls(request, encoder, await _encoded(request, encoder, replay=True))

    @property
    def body(self) -> bytes:
        """The request as it is to be sent."""
        return self._draft.body

    async def mend(self, error: ProviderError) -> bool:
        """Change the request so that it avoids an error; return whether that is possible.

        Refused reasoning of earlier answers is left out, and so is a refused field, unless a person has asked for it.
        """
        if isinstance(error, Outdated):
            if not self._replays:
                return False
            self._replays = False
            self._draft = Draft(await _encoded(self._request, self._encoder, replay=False))
            return True
        field = of_error(error)
        return field is not None and field.name not in wanted_fields(self._request) and await self._draft.change(error)


async def _encoded(request: ChatRequest, encoder: Encoder, *, replay: bool) -> bytes:
    return await in_thread(request, lambda: encode_json(encoder.body(request, replay=replay)))


async def in_thread(request: ChatRequest, make: Callable[[], T]) -> T:
    """Make a body, in a thread if the conversation has files: encoding them would delay other chats."""
    return await asyncio.to_thread(make) if any(map(has_files, request.messages)) else make()
