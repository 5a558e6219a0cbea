"""Provider of all models that the plugins of llm have. It loads llm with the first question."""

import asyncio
import json
import os
import sys
from collections.abc import AsyncGenerator, Sequence
from contextlib import aclosing, suppress
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from tgllm.api.clock import Clock
from tgllm.api.context import Log
from tgllm.api.events import StreamEvent
from tgllm.api.provider import Provider
from tgllm.api.types import ChatRequest, ModelInfo, Price
from tgllm.providers.retry import Retry
from tgllm.providers.streams.waiting import with_news
from tgllm_llm.keys import no_key
from tgllm_llm.listing import Listed, listed_elsewhere
from tgllm_llm.presence import files, packages
from tgllm_llm.settings import Settings

if TYPE_CHECKING:
    from tgllm_llm.asking import Asking

__all__ = ["LlmProvider"]

_KEPT_SECONDS: Final = 12 * 3600
"""How long a list is used again after a restart, if nothing was installed or set since; a bot asks once a day."""


class LlmProvider(Provider):
    """Asks models by llm's library."""

    def __init__(self, settings: Settings, clock: Clock, log: Log, folder: Path) -> None:
        """Create the provider; nothing is loaded or sent yet. The list of models is kept in ``folder``."""
        if settings.user_path:
            # The only way to tell llm, which looks for it in each call.
            os.environ["LLM_USER_PATH"] = str(Path(settings.user_path).expanduser())
        self._settings = settings
        self._clock = clock
        self._log = log
        self._kept = folder / "cache" / "models.json"
        # Most of the vendors' libraries try again by themselves.
        self._retry = Retry(clock, attempts=2)
        self._asking: Asking | None = None
        self._loading = asyncio.Lock()

    async def list_models(self) -> Sequence[ModelInfo]:
        """Return the models of all plugins, without those whose key is missing.

        Raises:
            NotConfigured: all keys are missing.
            ProviderError: there is none, since plugins can't be loaded.
        """
        found = await self._listed()
        usable = [each for each in found if each.id in self._settings.models or self._has_key(each)]
        if found and not usable:
            raise no_key(found[0].id, found[0].needs_key, found[0].variable)
        return [self._info(each) for each in usable]

    async def generate(self, request: ChatRequest) -> AsyncGenerator[StreamEvent, None]:
        """Stream one answer."""
        asking = await self._loaded()
        model = await asking.find(request.model)
        async with aclosing(self._retry.stream(lambda: asking.answer(model, request))) as events:
            async for event in with_news(events):
                yield event

    async def aclose(self) -> None:
        """Stop all answers."""
        if self._asking is not None:
            await self._asking.aclose()

    async def _loaded(self) -> "Asking":
        async with self._loading:
            if self._asking is None:
                self._asking = await asyncio.to_thread(_load, self._settings, self._log)
            return self._asking

    async def _listed(self) -> Sequence[Listed]:
        if "llm" in sys.modules:
            # It has been loaded for a question, so that the list costs little.
            return await (await self._loaded()).models()
        state = await asyncio.to_thread(self._state)
        if (kept := await asyncio.to_thread(self._read, state)) is not None:
            return kept
        found = await listed_elsewhere(self._settings.models)
        await asyncio.to_thread(self._keep, found, state)
        return found

    def _state(self) -> Any:  # noqa: ANN401  JSON
        """Return what the list depends on; it has no secrets."""
        return [packages(), files(self._settings), [*self._settings.models], sys.prefix]

    def _read(self, state: object) -> Sequence[Listed] | None:
        """Return the list as kept, if it is not old."""
        with suppress(OSError, ValueError, KeyError, TypeError):
            stored = json.loads(self._kept.read_text(encoding="utf-8"))
            if (
                stored["state"] == json.loads(json.dumps(state))
                and 0 <= self._clock.now() - stored["at"] < _KEPT_SECONDS
            ):
                return [Listed(**each) for each in stored["models"]]
        return None

    def _keep(self, found: Sequence[Listed], state: object) -> None:
        content = {"at": self._clock.now(), "state": state, "models": [asdict(each) for each in found]}
        with suppress(OSError):
            self._kept.parent.mkdir(parents=True, exist_ok=True)
            self._kept.write_text(json.dumps(content), encoding="utf-8")

    def _has_key(self, model: Listed) -> bool:
        return model.has_key or model.needs_key in self._settings.keys

    def _info(self, model: Listed) -> ModelInfo:
        price = self._settings.prices.get(model.id)
        return ModelInfo(
            model.id,
            context_window=self._settings.context_window,
            mime_types=frozenset(model.mime_types),
            reasoning=model.reasoning,
            aliases=tuple(model.aliases),
            price=Price(price.input, price.output, price.cached, price.as_of, price.cache_write) if price else None,
        )


def _load(settings: Settings, log: Log) -> "Asking":
    from tgllm_llm.asking import Asking  # noqa: PLC0415  it loads llm

    return Asking(settings, log)
