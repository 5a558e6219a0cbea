"""Talks to the service: OpenAI's chat completions with habits of its own."""

from collections.abc import Sequence
from dataclasses import replace
from typing import ClassVar

from tgllm.api import (
    ChatMessage,
    ChatRequest,
    Check,
    FilePart,
    JsonObject,
    ModelInfo,
    PluginContext,
    ProviderError,
    QuotaExceeded,
    Unsupported,
    Usage,
)
from tgllm.providers.attachments import IMAGE_TYPES, check_size, data_url, unsupported
from tgllm.providers.capabilities import load_capabilities
from tgllm.providers.failure import Failure, explain
from tgllm.providers.http import ProviderHttp
from tgllm.providers.json_values import as_int, as_list, as_object, as_text
from tgllm.providers.openai_chat import Body, OpenAIChatClient, given
from tgllm.providers.openai_reader import ChatReader
from tgllm.providers.prices import load_prices
from tgllm.providers.retry import Retry
from tgllm.providers.tokens import estimate_request


class Reader(ChatReader):
    needs_done = True
    interruptions = frozenset({"insufficient_system_resource"})
    finish_reasons: ClassVar = {**ChatReader.finish_reasons, "eos": "stop"}

    def read_usage(self, usage: JsonObject) -> Usage:
        return replace(super().read_usage(usage), cached_tokens=as_int(usage.get("prompt_cache_hit_tokens")))

    def provider_data(self) -> JsonObject | None:
        return {"thought": "".join(self.reasoning)} if self.reasoning else None


class Client(OpenAIChatClient):
    models_path = "/models"
    chat_path = "/chat/completions"
    reader = Reader

    known = load_capabilities("tgllm_test_good_10")
    prices = load_prices("tgllm_test_good_10")

    def check(self, request: ChatRequest) -> None:
        if request.temperature is not None and request.temperature > 2:
            raise Unsupported("a temperature of 2 at most")

    def settings(self, request: ChatRequest) -> Body:
        return given(
            stream_options={"include_usage": True},
            temperature=request.temperature,
            max_tokens=request.max_output_tokens,
            user_id=request.user_key,
        )

    def message(self, message: ChatMessage, model: str) -> Body:
        thought = as_text((message.provider_data or {}).get("thought")) if message.role == "assistant" else ""
        return {**super().message(message, model), **({"reasoning_content": thought} if thought else {})}

    def file(self, part: FilePart, model: str) -> Body:
        if part.mime_type not in IMAGE_TYPES:
            raise unsupported(part, model)
        check_size(part, 2**20)
        return {"type": "image_url", "image_url": {"url": data_url(part)}}

    def read_model(self, entry: JsonObject) -> ModelInfo | None:
        model = as_text(entry.get("id"))
        return replace(self.known.get(model, ModelInfo(model)), id=model, price=self.prices.get(model))

    async def count_tokens(self, request: ChatRequest) -> int | None:
        return estimate_request(request)

    async def doctor(self) -> Sequence[Check]:
        balance = as_object(await self.retry.call(lambda: self.http.get_json("/user/balance")))
        amounts = [as_text(as_object(info).get("total_balance")) for info in as_list(balance.get("balance_infos"))]
        return [Check("Good 1.0: account", "ok" if balance.get("is_available") else "failed", ", ".join(amounts))]


def explain_service(failure: Failure) -> ProviderError:
    return QuotaExceeded("top up the account") if failure.status == 402 else explain(failure)


def make_provider(ctx: PluginContext, base_url: str, key: str, seconds: float) -> Client:
    headers = {"Authorization": f"Bearer {key}"}
    http = ProviderHttp(base_url, headers=headers, idle_seconds=seconds, explain=explain_service)
    return Client(http, ctx.clock, retry=Retry(ctx.clock, attempts=2, max_wait=10.0))
