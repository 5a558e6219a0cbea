"""Faults in what is sent, and in the list of models."""

import asyncio
from collections.abc import AsyncGenerator, Iterable, Sequence
from contextlib import aclosing
from dataclasses import replace
from typing import Any

from faults.good import Good, fault

from tgllm.api import (
    ChatMessage,
    ChatRequest,
    FilePart,
    JsonObject,
    ModelInfo,
    ProviderError,
    ReasoningDelta,
    StreamEvent,
    TextPart,
    Unsupported,
)
from tgllm.providers.openai_chat import Body

ROLES = "test_roles_and_order_arrive"
EFFORT = "test_a_reasoning_effort_arrives_or_is_refused"
SETTING = "test_a_setting_arrives_or_is_refused"
PARTS = "test_the_order_of_parts_stays"
FILE = "test_a_file_arrives_or_is_refused"
LISTED = "test_every_model_is_listed"
DESCRIBED = "test_models_are_described"


class Asked(Good):
    """A provider whose requests are changed."""

    def asked(self, request: ChatRequest) -> ChatRequest:
        return request

    def _body(self, request: ChatRequest) -> bytes:
        return super()._body(self.asked(request))


@fault("temperature 0 is dropped", "test_a_small_value_arrives_or_is_refused[temperature-0.0]")
class NoZero(Asked):
    def asked(self, request: ChatRequest) -> ChatRequest:
        return replace(request, temperature=request.temperature or None)


@fault("the temperature is dropped", f"{SETTING}[temperature-0.375]")
class NoTemperature(Asked):
    def asked(self, request: ChatRequest) -> ChatRequest:
        return replace(request, temperature=None)


@fault("the limit of tokens is dropped", f"{SETTING}[max_output_tokens-1234]")
class NoLimit(Asked):
    def asked(self, request: ChatRequest) -> ChatRequest:
        return replace(request, max_output_tokens=None)


@fault("a small limit of tokens is raised", "test_a_small_value_arrives_or_is_refused[max_output_tokens-1]")
class HighLimit(Asked):
    def asked(self, request: ChatRequest) -> ChatRequest:
        return replace(request, max_output_tokens=request.max_output_tokens and max(16, request.max_output_tokens))


@fault("reasoning_effort is ignored", f"{EFFORT}[high]")
class NoEffort(Asked):
    def asked(self, request: ChatRequest) -> ChatRequest:
        return replace(request, reasoning_effort=None)


@fault("reasoning can't be turned off", f"{EFFORT}[none]")
class NoEffortNone(Asked):
    def asked(self, request: ChatRequest) -> ChatRequest:
        effort = request.reasoning_effort
        return replace(request, reasoning_effort=None if effort == "none" else effort)


@fault("every reasoning_effort is sent as high", "test_reasoning_efforts_differ")
class HighEffort(Asked):
    def asked(self, request: ChatRequest) -> ChatRequest:
        return replace(request, reasoning_effort=request.reasoning_effort and "high")


@fault("user_key is ignored", "test_the_user_key_arrives")
class NoUserKey(Asked):
    def asked(self, request: ChatRequest) -> ChatRequest:
        return replace(request, user_key=None)


@fault("the answers are sent as messages of the user", ROLES)
class AnswersAreQuestions(Good):
    def message(self, message: ChatMessage, model: str) -> Body:
        return {**super().message(message, model), "role": "user"}


@fault("the system message is sent as one of the user", ROLES)
class SystemIsUser(Asked):
    def asked(self, request: ChatRequest) -> ChatRequest:
        first = [ChatMessage("user", (TextPart(request.system),))] if request.system else []
        return replace(request, system=None, messages=(*first, *request.messages))


@fault("the history is sent newest first", ROLES)
class HistoryTurnedRound(Asked):
    def asked(self, request: ChatRequest) -> ChatRequest:
        *history, question = request.messages
        return replace(request, messages=(*reversed(history), question))


@fault("the system message is lost", "test_the_system_message_is_honoured")
class NoSystem(Asked):
    def asked(self, request: ChatRequest) -> ChatRequest:
        return replace(request, system=None)


@fault("the history is lost", "test_the_conversation_arrives")
class NoHistory(Asked):
    def asked(self, request: ChatRequest) -> ChatRequest:
        return replace(request, messages=request.messages[-1:])


@fault("only the last messages of the history are sent", ROLES)
class ShortHistory(Asked):
    def asked(self, request: ChatRequest) -> ChatRequest:
        return replace(request, messages=request.messages[-3:])


@fault("the messages of all conversations are sent", "test_nothing_of_an_earlier_request_is_sent")
class OneConversation(Asked):
    def __init__(self, ctx: Any) -> None:
        super().__init__(ctx)
        self.said: list[ChatMessage] = []

    def asked(self, request: ChatRequest) -> ChatRequest:
        self.said += request.messages
        return replace(request, messages=tuple(self.said))


@fault("the system message of an earlier request is kept", "test_nothing_of_an_earlier_request_is_sent")
class KeptSystem(Asked):
    system: str | None = None

    def asked(self, request: ChatRequest) -> ChatRequest:
        self.system = request.system or self.system
        return replace(request, system=self.system)


@fault(
    "the reasoning of an answer is sent with the question of another person",
    "test_nothing_of_an_earlier_request_is_sent",
)
class KeptThought(Good):
    thought = ""

    async def generate(self, request: ChatRequest) -> AsyncGenerator[StreamEvent, None]:
        async with aclosing(super().generate(request)) as events:
            async for event in events:
                if isinstance(event, ReasoningDelta):
                    self.thought += event.text
                yield event

    def message(self, message: ChatMessage, model: str) -> Body:
        thought = {"reasoning_content": self.thought} if self.thought else {}
        return {**super().message(message, model), **thought}


@fault("tokens of the last message only are counted", "test_the_whole_request_is_counted")
class CountsTheQuestion(Good):
    async def count_tokens(self, request: ChatRequest) -> int | None:
        return len(request.messages[-1].text) + 1


@fault("the model of the request is ignored", "test_an_unknown_model_is_not_found")
class OneModel(Asked):
    def asked(self, request: ChatRequest) -> ChatRequest:
        return replace(request, model="deepseek-flash")


class Parts(Asked):
    """A provider whose parts of messages are changed."""

    def parts(self, message: ChatMessage) -> Iterable[Any]:
        return message.parts

    def asked(self, request: ChatRequest) -> ChatRequest:
        messages = [replace(message, parts=tuple(self.parts(message))) for message in request.messages]
        return replace(request, messages=tuple(messages))


@fault("files are put before the text", PARTS)
class FilesFirst(Parts):
    def parts(self, message: ChatMessage) -> Iterable[Any]:
        return sorted(message.parts, key=lambda part: isinstance(part, TextPart))


@fault("only the first file of a message is sent", PARTS)
class OneFile(Parts):
    def parts(self, message: ChatMessage) -> Iterable[Any]:
        files = [part for part in message.parts if isinstance(part, FilePart)]
        return [part for part in message.parts if part not in files[1:]]


@fault("files are dropped", f"{FILE}[image/png]")
class NoFiles(Parts):
    def parts(self, message: ChatMessage) -> Iterable[Any]:
        return [part for part in message.parts if isinstance(part, TextPart)]


@fault("files that the service does not take are dropped", f"{FILE}[application/pdf]")
class NoWordOnFiles(Good):
    def file(self, part: FilePart, model: str) -> Body:
        try:
            return super().file(part, model)
        except Unsupported:
            return {"type": "text", "text": ""}


@fault("files of earlier questions are dropped", "test_a_file_of_an_earlier_question_stays")
class NoEarlierFiles(Asked):
    def asked(self, request: ChatRequest) -> ChatRequest:
        *history, question = request.messages
        texts = [
            replace(message, parts=tuple(part for part in message.parts if isinstance(part, TextPart)))
            for message in history
        ]
        return replace(request, messages=(*texts, question))


@fault("a file that is gone raises the system's error", "test_a_file_that_is_gone_is_an_error")
class GoneFiles(Good):
    def file(self, part: FilePart, model: str) -> Body:
        part.path.stat()
        return super().file(part, model)


@fault("provider_data is not sent back", "test_provider_data_comes_back")
class NoData(Good):
    def message(self, message: ChatMessage, model: str) -> Body:
        return super().message(replace(message, provider_data=None), model)


@fault("provider_data of another version is trusted", "test_strange_provider_data_does_no_harm")
class TrustsData(Good):
    def message(self, message: ChatMessage, model: str) -> Body:
        if message.provider_data is not None:
            _ = message.provider_data["thought"]
        return super().message(message, model)


@fault("the request is changed", "test_the_request_is_not_changed")
class ChangesTheRequest(Good):
    def message(self, message: ChatMessage, model: str) -> Body:
        body = super().message(message, model)
        data: Any = message.provider_data
        if data:
            data.clear()
        return body


@fault("only the first page of models is read", LISTED)
class FirstPage(Good):
    async def page(self, after: str | None) -> JsonObject:
        return {**await super().page(after), "has_more": False}


@fault("models that don't chat are listed", LISTED)
class Embeddings(Good):
    def read_model(self, entry: JsonObject) -> ModelInfo | None:
        return super().read_model({**entry, "type": "chat"})


@fault("a broken list becomes an empty one", "test_a_broken_list_is_an_error")
class BrokenIsEmpty(Good):
    async def page(self, after: str | None) -> JsonObject:
        page: Any = await self.http.get_json(self.models_path, {"after": after} if after else None)
        return {"data": page.get("data", [])} if isinstance(page, dict) and "has_more" not in page else page


@fault("a list that can't be had becomes an empty one", "test_a_list_that_cannot_be_had_is_an_error")
class FailedIsEmpty(Good):
    async def list_models(self) -> Sequence[ModelInfo]:
        try:
            return await super().list_models()
        except ProviderError:
            return []


@fault("a page of models that can't be had is left out", "test_a_list_that_breaks_off_is_an_error")
class HalfAList(Good):
    async def page(self, after: str | None) -> JsonObject:
        try:
            return await super().page(after)
        except ProviderError:
            if after is None:
                raise
            return {"data": []}


@fault("the list of models is kept for ever", "test_the_list_is_asked_for_anew")
class KeptList(Good):
    kept: Sequence[ModelInfo] | None = None

    async def list_models(self) -> Sequence[ModelInfo]:
        self.kept = self.kept or await super().list_models()
        return self.kept


class Described(Good):
    """A provider whose models are changed."""

    def described(self, model: ModelInfo) -> ModelInfo:
        return model

    async def list_models(self) -> Sequence[ModelInfo]:
        return [self.described(model) for model in await super().list_models()]


@fault("prices are lost", DESCRIBED)
class NoPrices(Described):
    def described(self, model: ModelInfo) -> ModelInfo:
        return replace(model, price=None)


@fault("the price of cached tokens is lost", DESCRIBED)
class NoCachedPrices(Described):
    def described(self, model: ModelInfo) -> ModelInfo:
        return replace(model, price=model.price and replace(model.price, cached=None))


@fault("context windows are those of another model", DESCRIBED)
class WrongWindows(Described):
    def described(self, model: ModelInfo) -> ModelInfo:
        return replace(model, context_window=8_192)


@fault("no model is said to take pictures", DESCRIBED)
class NoPictures(Described):
    def described(self, model: ModelInfo) -> ModelInfo:
        return replace(model, mime_types=frozenset())


@fault("no model is said to reason", DESCRIBED)
class NoneReasons(Described):
    def described(self, model: ModelInfo) -> ModelInfo:
        return replace(model, reasoning=False)


@fault("a model is listed twice", "test_the_models_are_valid")
class ModelsTwice(Good):
    async def list_models(self) -> Sequence[ModelInfo]:
        return [*await super().list_models(), *await super().list_models()]


@fault("an answer waits until another has ended", "test_closing_a_stream_leaves_another_open", 2.0)
class OneAtATime(Good):
    def __init__(self, ctx: Any) -> None:
        super().__init__(ctx)
        self.lock = asyncio.Lock()

    async def generate(self, request: ChatRequest) -> Any:
        async with self.lock:
            async for event in super().generate(request):
                yield event
