"""Provider of DeepSeek's models."""

from collections.abc import Collection, Iterable, Sequence
from dataclasses import replace
from typing import ClassVar

from tgllm.api.clock import Clock
from tgllm.api.context import Check
from tgllm.api.types import ChatMessage, ChatRequest, FilePart, JsonObject, ModelInfo
from tgllm.providers.attachments import check_size, unsupported
from tgllm.providers.capabilities import load_capabilities
from tgllm.providers.encoding.tool_messages import tool_choice, tool_json
from tgllm.providers.http import ProviderHttp
from tgllm.providers.json_values import as_object, as_text
from tgllm.providers.openai_chat import Body, OpenAIChatClient, given
from tgllm.providers.openai_reader import ChatReader
from tgllm.providers.prices import load_prices
from tgllm_dipseek.errors import explain_dipseek
from tgllm_dipseek.settings import Settings
from tgllm_dipseek.wire import REASONING, Balance, DipseekReader, read_balance, reasoning, thinking_fields

__all__ = ["DipseekProvider"]

_MAX_IMAGE = 32 * 2**20


class DipseekProvider(OpenAIChatClient):
    """Client of the DeepSeek API: chat completions and the account's balance."""

    reader: ClassVar[type[ChatReader]] = DipseekReader
    supports_tools: ClassVar[bool] = True

    def __init__(self, settings: Settings, key: str, clock: Clock) -> None:
        """Create the provider; nothing is sent yet."""
        http = ProviderHttp(
            settings.base_url,
            headers={"Authorization": f"Bearer {key}"},
            idle_seconds=settings.timeout_seconds,
            proxy=settings.proxy.get_secret_value() if settings.proxy else None,
            explain=explain_dipseek,
        )
        super().__init__(http, clock)
        self._known = load_capabilities("tgllm_dipseek")
        self._prices = load_prices("tgllm_dipseek")

    async def balance(self) -> Balance:
        """Return the account's balance.

        Raises:
            ProviderError: the balance is not available.
        """
        return read_balance(as_object(await self.retry.call(lambda: self.http.get_json("/user/balance"))))

    async def doctor(self) -> Sequence[Check]:
        """Check the account's balance."""
        balance = await self.balance()
        left = ", ".join(f"{amount} {currency}" for currency, amount in balance.amounts) or "an unknown amount"
        if balance.available:
            return (Check("Dipseek: account", "ok", f"{left} left"),)
        return (Check("Dipseek: account", "failed", f"out of credit ({left} left): top up the DeepSeek account"),)

    def settings(self, request: ChatRequest) -> Body:
        """Return the fields except model, messages and stream."""
        # A forced call needs reasoning to be off (DeepSeek API: thinking mode).
        is_forced = bool(request.tools) and request.tool_choice not in {"auto", "none"}
        return {
            **given(
                stream_options={"include_usage": True},
                temperature=request.temperature,
                max_tokens=request.max_output_tokens,
                user_id=request.user_key,
            ),
            **thinking_fields("none" if is_forced else request.reasoning_effort),
        }

    def message(self, message: ChatMessage, model: str) -> Body:
        """Encode a message; an answer is sent with its reasoning."""
        body = super().message(message, model)
        if message.role != "assistant":
            return body
        # A call without reasoning, such as one of another model, needs the field as well.
        empty: Body = {REASONING: ""} if "tool_calls" in body else {}
        return {**body, **empty, **reasoning(message.provider_data)}

    def tools(self, request: ChatRequest) -> Body:
        """Return the fields about tools; there is none that forbids several calls at once."""
        return given(tools=list(map(tool_json, request.tools)), tool_choice=tool_choice(request.tool_choice))

    def file(self, part: FilePart, model: str) -> Body:
        """Encode an image, unless the model is known not to accept images."""
        known = self._known.get(model)
        if known is not None and part.mime_type not in known.mime_types:
            raise unsupported(part, model)
        check_size(part, _MAX_IMAGE)
        return super().file(part, model)

    def read_models(self, entries: Iterable[JsonObject]) -> Sequence[ModelInfo]:
        """Parse the list of model ids; capabilities and prices come from the package's tables."""
        ids = [model for entry in entries if (model := as_text(entry.get("id")))]
        return [self._model(model, ids) for model in dict.fromkeys(ids)]

    def _model(self, model: str, listed: Collection[str]) -> ModelInfo:
        known = self._known.get(model, ModelInfo(model))
        # An alias that the service lists is a separate model.
        aliases = tuple(name for name in known.aliases if name not in listed) if known.id == model else ()
        return replace(known, id=model, aliases=aliases, price=self._prices.get(known.id))
