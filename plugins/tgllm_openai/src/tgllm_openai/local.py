"""What local servers say about their models beside the list: the window, and whether a model sees pictures."""

import asyncio
import re
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import replace

from tgllm.api.errors import ProviderError
from tgllm.api.types import JsonObject, ModelInfo
from tgllm.providers.attachments import IMAGE_TYPES
from tgllm.providers.http import ProviderHttp
from tgllm.providers.json_values import as_int, as_list, as_object, as_text

__all__ = ["LocalServer"]

_VERSION = re.compile(r"/v\d+/?$")
_NUM_CTX = re.compile(r"^num_ctx\s+(\d{1,9})\b", re.MULTILINE)
_AT_ONCE = 4
_SECONDS = 15.0
"""Timeout of the questions together: the list is usable without their answers."""


class LocalServer:
    """The own API of a local server, beside that in OpenAI's format."""

    def __init__(self, http: ProviderHttp, base_url: str, asks: str) -> None:
        """Ask by ``http``; ``asks`` is as in ``presets.toml``."""
        self._http = http
        self._root = _VERSION.sub("", base_url.rstrip("/"))
        self._asks = asks

    async def complete(self, models: Sequence[ModelInfo]) -> Sequence[ModelInfo]:
        """Return the models with what the server knows of them; those of which it says nothing are unchanged."""
        known: dict[str, ModelInfo] = {model.id: model for model in models}
        with suppress(TimeoutError):
            async with asyncio.timeout(_SECONDS):
                if self._asks in {"llama_cpp", "any"}:
                    await self._ask_llama(known)
                if self._asks in {"ollama", "any"} and not _are_known(known):
                    await self._ask_ollama(known)
                if self._asks in {"lm_studio", "any"} and not _are_known(known):
                    await self._ask_lm_studio(known)
        return [known[model.id] for model in models if model.id in known]

    async def _ask_llama(self, known: dict[str, ModelInfo]) -> None:
        """Ask llama.cpp, which serves one model (tools/server: GET /props); a router of several has none."""
        props = await self._get("/props")
        window = as_int(as_object(props.get("default_generation_settings")).get("n_ctx"))
        sees = as_object(props.get("modalities")).get("vision") is True
        calls = as_object(props.get("chat_template_caps")).get("supports_tools")
        for model in known.values() if len(known) == 1 else ():
            found = _with(model, window or model.context_window, sees=sees)
            known[model.id] = replace(found, tools=calls if isinstance(calls, bool) else found.tools)

    async def _ask_ollama(self, known: dict[str, ModelInfo]) -> None:
        """Ask Ollama: GET /api/ps has the window of loaded models, POST /api/show the one they were trained with."""
        running = await self._get("/api/ps")
        allocated = {
            as_text(as_object(each).get("model")) or as_text(as_object(each).get("name")): each
            for each in as_list(running.get("models"))
        }
        places = asyncio.Semaphore(_AT_ONCE)

        async def ask(model: ModelInfo) -> None:
            async with places:
                shown = await self._post("/api/show", {"model": model.id})
            capabilities = as_list(shown.get("capabilities"))
            if capabilities and "completion" not in capabilities:
                del known[model.id]
                return
            loaded = as_int(as_object(allocated.get(model.id)).get("context_length"))
            window = loaded or _num_ctx(shown) or _trained(as_object(shown.get("model_info")))
            found = _with(model, window or model.context_window, sees="vision" in capabilities)
            known[model.id] = replace(
                found,
                reasoning=found.reasoning or "thinking" in capabilities,
                tools="tools" in capabilities if capabilities else found.tools,
            )

        if "models" in running:
            await asyncio.gather(*(ask(model) for model in [*known.values()]))

    async def _ask_lm_studio(self, known: dict[str, ModelInfo]) -> None:
        """Ask LM Studio (REST API v1: GET /api/v1/models)."""
        listed = await self._get("/api/v1/models")
        for entry in map(as_object, as_list(listed.get("models")) or as_list(listed.get("data"))):
            loaded = [as_object(each) for each in as_list(entry.get("loaded_instances"))]
            windows = [as_int(as_object(each.get("config")).get("context_length")) for each in loaded]
            window = next(filter(None, windows), None) or as_int(entry.get("max_context_length"))
            can = as_object(entry.get("capabilities"))
            sees, calls = can.get("vision") is True, can.get("trained_for_tool_use")
            for name in (
                as_text(entry.get("key")),
                as_text(entry.get("id")),
                *(as_text(each.get("id")) for each in loaded),
            ):
                if name in known and entry.get("type") in {"embedding", "embeddings"}:
                    del known[name]
                elif name in known:
                    found = _with(known[name], window or known[name].context_window, sees=sees)
                    known[name] = replace(found, tools=calls if isinstance(calls, bool) else found.tools)

    async def _get(self, path: str) -> JsonObject:
        with suppress(ProviderError):
            return as_object(await self._http.get_json(self._root + path))
        return {}

    async def _post(self, path: str, body: JsonObject) -> JsonObject:
        with suppress(ProviderError):
            return as_object(await self._http.post_json(self._root + path, body))
        return {}


def _are_known(known: Mapping[str, ModelInfo]) -> bool:
    return all(model.context_window for model in known.values())


def _with(model: ModelInfo, window: int | None, *, sees: bool) -> ModelInfo:
    return replace(model, context_window=window, mime_types=IMAGE_TYPES if sees else model.mime_types)


def _num_ctx(shown: JsonObject) -> int | None:
    """Return the window that the Modelfile sets."""
    found = _NUM_CTX.search(as_text(shown.get("parameters")))
    return int(found[1]) if found else None


def _trained(info: JsonObject) -> int | None:
    return next((as_int(value) for name, value in info.items() if name.endswith(".context_length")), None)
