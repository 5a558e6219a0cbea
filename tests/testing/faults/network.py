"""Faults in errors, attempts, secrets, addresses, connections and in the use of the event loop."""

import asyncio
import json
from collections.abc import AsyncGenerator, Sequence
from contextlib import aclosing
from time import monotonic, sleep
from typing import Any, ClassVar
from urllib.parse import urlsplit
from urllib.request import urlopen

import aiohttp
import httpx
from faults.good import Changed, Good, fault
from faults.plugin import Settings

from tgllm.api import (
    AuthFailed,
    BadResponse,
    ChatRequest,
    Finished,
    ModelInfo,
    ModelNotFound,
    ProviderError,
    QuotaExceeded,
    RateLimited,
    StreamEvent,
    Unavailable,
    Waiting,
)
from tgllm.providers.failure import Failure
from tgllm.providers.http import ProviderHttp
from tgllm.providers.retry import Retry

AGAIN = "test_what_would_fail_again_is_not_tried_again"
REDIRECT = "test_the_key_follows_no_redirect"
ADDRESS = "test_every_form_of_the_address_works"
BEHIND = "test_answers_leave_no_connections_behind"
BLOCKS = "test_it_does_not_block_the_loop"


class Failing(Good):
    """A provider whose errors are changed."""

    def failed(self, error: ProviderError) -> Exception:
        return error

    def explain(self, failure: Failure) -> Exception:
        return self.failed(super().explain(failure))


@fault("a rate limit raises an error without a kind", "test_a_failure_is_mapped[RateLimited]")
class NoKind(Failing):
    def failed(self, error: ProviderError) -> Exception:
        return ProviderError("no") if isinstance(error, RateLimited) else error


@fault("an account without credit looks like a rate limit", "test_a_failure_is_mapped[QuotaExceeded]")
class QuotaIsRate(Failing):
    def failed(self, error: ProviderError) -> Exception:
        return RateLimited("too many") if isinstance(error, QuotaExceeded) else error


@fault("an unknown model raises an error without a kind", "test_an_unknown_model_is_not_found")
class AnyModel(Failing):
    def failed(self, error: ProviderError) -> Exception:
        return ProviderError("no") if isinstance(error, ModelNotFound) else error


@fault("an error event has no kind", "test_a_failure_in_the_middle_is_mapped[RateLimited]")
class NoKindMidway(Good):
    def explain(self, failure: Failure) -> Exception:
        error = super().explain(failure)
        return Unavailable("the stream failed") if failure.status == 0 else error


@fault("retry_after is lost", "test_the_wait_that_is_asked_for_is_told")
class NoWait(Failing):
    def failed(self, error: ProviderError) -> Exception:
        return RateLimited("too many") if isinstance(error, RateLimited) else error


@fault("the service's words are lost", "test_an_error_in_place_of_an_answer_is_told")
class NoWords(Failing):
    def failed(self, error: ProviderError) -> Exception:
        return type(error)("it failed")


@fault("a page of a proxy raises an error of the JSON parser", "test_any_status_is_an_error_of_the_contract")
class JsonOnly(Good):
    def explain(self, failure: Failure) -> Exception:
        json.loads(failure.body)
        return super().explain(failure)


@fault("a page of a proxy in front of a busy service is a bad response", "test_any_status_is_an_error_of_the_contract")
class PagesAreBad(Good):
    def explain(self, failure: Failure) -> Exception:
        return BadResponse("no JSON") if b"<html" in failure.body else super().explain(failure)


@fault("the key is part of an error", "test_no_key_is_told[AuthFailed]")
class KeyInTheError(Good):
    async def generate(self, request: ChatRequest) -> AsyncGenerator[StreamEvent, None]:
        try:
            async with aclosing(super().generate(request)) as events:
                async for event in events:
                    yield event
        except AuthFailed:
            raise AuthFailed(f"the key {self.key} is wrong") from None


@fault("the key is in the log of each request", "test_no_key_is_logged")
class KeyInTheLog(Changed):
    def change(self, event: StreamEvent) -> Sequence[StreamEvent]:
        if isinstance(event, Finished):
            self.ctx.log.debug("answered", key=self.key)
        return [event]


@fault("the question is part of an error", "test_no_question_is_told[RateLimited]")
class QuestionInTheError(Good):
    async def generate(self, request: ChatRequest) -> AsyncGenerator[StreamEvent, None]:
        try:
            async with aclosing(super().generate(request)) as events:
                async for event in events:
                    yield event
        except RateLimited as error:
            raise RateLimited(f"no answer to {request.messages[-1].text!r}", retry_after=error.retry_after) from None


class Stubborn(Good):
    """A provider that tries again after errors that are final."""

    again: ClassVar[tuple[type[ProviderError], ...]] = (ProviderError,)

    async def generate(self, request: ChatRequest) -> AsyncGenerator[StreamEvent, None]:
        for last in (False, True):
            try:
                async with aclosing(super().generate(request)) as events:
                    async for event in events:
                        yield event
                return
            except self.again:
                if last:
                    raise


@fault("a refused request (400) is sent again", "test_a_wrong_request_is_not_tried_again")
class TriesWrongRequests(Stubborn):
    again = (ProviderError,)


@fault("a refused key is tried again", "test_a_wrong_key_is_not_tried_again")
class TriesKeys(Stubborn):
    again = (AuthFailed,)


@fault("an account without credit is tried again", f"{AGAIN}[QuotaExceeded]")
class TriesQuota(Stubborn):
    again = (QuotaExceeded,)


@fault("an answer that broke off begins again after its beginning was shown", "test_a_stream_that_breaks_is_an_error")
class BeginsAgain(Stubborn):
    again = (Unavailable, BadResponse)


class Hasty(Retry):
    def _wait(self, error: ProviderError, tried: int) -> float:
        super()._wait(error, tried)
        return 0.0


@fault("the wait that the service asks for is not kept", "test_a_retry_waits_as_long_as_the_service_asks")
class NoPatience(Good):
    retry_type = Hasty


class Following(ProviderHttp):
    """A client that follows redirects with all of its headers."""

    async def _answer(self, request: httpx.Request) -> AsyncGenerator[bytes, None]:
        response = await self._client.send(request)
        if response.has_redirect_headers:
            there = response.headers["Location"]
            request = httpx.Request(request.method, there, headers=request.headers, content=request.content)
            request.headers["Host"] = request.url.netloc.decode()
        async with aclosing(super()._answer(request)) as chunks:
            async for chunk in chunks:
                yield chunk


@fault("redirects to another host are followed with the key", f"{REDIRECT}[307]")
class Follows(Good):
    http_type = Following


@fault("the setting of a proxy is ignored", "test_a_proxy_is_used[setting]")
class NoProxySetting(Good):
    def open(self, settings: Settings) -> ProviderHttp:
        return super().open(settings.model_copy(update={"proxy": None}))


@fault("the variables of a proxy are ignored", "test_a_proxy_is_used[variable]")
class NoProxyVariable(Good):
    def open(self, settings: Settings) -> ProviderHttp:
        http = super().open(settings)
        if settings.proxy is None:
            http._client = httpx.AsyncClient(base_url=settings.base_url, trust_env=False)
        return http


@fault("the timeout of the settings is ignored", "test_silence_is_an_error", 1.0)
class NoTimeout(Good):
    def open(self, settings: Settings) -> ProviderHttp:
        return super().open(settings.model_copy(update={"timeout_seconds": 120.0}))


@fault("an address with a slash at its end gets two of them", ADDRESS)
class TwoSlashes(Good):
    def open(self, settings: Settings) -> ProviderHttp:
        self.chat_path = f"{settings.base_url}/chat/completions"  # type: ignore[misc]  the mistake
        return super().open(settings)


@fault("the path of an address is lost", ADDRESS)
class NoPath(Good):
    def open(self, settings: Settings) -> ProviderHttp:
        parts = urlsplit(settings.base_url)
        return super().open(settings.model_copy(update={"base_url": f"{parts.scheme}://{parts.netloc}"}))


@fault("cancellation is swallowed", "test_cancellation_closes_the_connection", 2.0)
class SwallowsCancellation(Good):
    async def generate(self, request: ChatRequest) -> AsyncGenerator[StreamEvent, None]:
        try:
            async with aclosing(super().generate(request)) as events:
                async for event in events:
                    yield event
        except asyncio.CancelledError:
            yield Finished("stopped")


@fault(
    "cancellation before the first piece is swallowed",
    "test_cancellation_before_the_first_piece_closes_the_connection",
    2.0,
)
class SwallowsEarlyCancellation(SwallowsCancellation):
    pass


@fault("a stream that is closed early stays open", "test_aclose_in_the_middle_closes_the_connection", 1.0)
class StaysOpen(Good):
    kept: ClassVar[list[Any]] = []

    async def generate(self, request: ChatRequest) -> AsyncGenerator[StreamEvent, None]:
        events = super().generate(request)
        queue = asyncio.Queue[Any]()

        async def read() -> None:
            try:
                async for event in events:
                    await queue.put(event)
                await queue.put(None)
            except ProviderError as error:
                await queue.put(error)

        task = asyncio.create_task(read())
        self.kept.append(task)
        while (event := await queue.get()) is not None:
            if isinstance(event, ProviderError):
                raise event
            yield event


@fault("each answer has a client of its own, which is not closed", f"{BEHIND}[complete]", 1.0)
class ClientForEach(Good):
    def __init__(self, ctx: Any) -> None:
        super().__init__(ctx)
        self.clients = [self.http]

    async def generate(self, request: ChatRequest) -> AsyncGenerator[StreamEvent, None]:
        self.http = self.open(self.given)
        self.clients.append(self.http)
        async with aclosing(super().generate(request)) as events:
            async for event in events:
                yield event

    async def aclose(self) -> None:
        for client in self.clients:
            await client.aclose()


class Closing(Good):
    """A provider that closes its client with a stream."""

    async def generate(self, request: ChatRequest) -> AsyncGenerator[StreamEvent, None]:
        async with aclosing(super().generate(request)) as events:
            try:
                async for event in events:
                    yield event
            except GeneratorExit:
                await self.http.aclose()
                raise


@fault("a stream that is closed closes the client of all answers", "test_it_answers_after_a_stream_was_closed")
class ClosesTheClient(Closing):
    async def generate(self, request: ChatRequest) -> AsyncGenerator[StreamEvent, None]:
        if self.http._client.is_closed:
            raise Unavailable("the client is closed")
        async with aclosing(super().generate(request)) as events:
            async for event in events:
                yield event


@fault("connections are open after aclose", "test_closing_leaves_no_connection_open", 1.0)
class StaysConnected(Good):
    async def aclose(self) -> None:
        pass


@fault("aclose fails the second time", "test_closing_twice_does_no_harm")
class ClosesOnce(Good):
    closed = False

    async def aclose(self) -> None:
        assert not self.closed
        self.closed = True
        await super().aclose()


@fault("after an answer that broke off there is no other", "test_it_answers_after_an_answer_that_broke_off")
class BrokenForEver(Good):
    broken = False

    async def generate(self, request: ChatRequest) -> AsyncGenerator[StreamEvent, None]:
        if self.broken:
            raise Unavailable("the connection is broken")
        try:
            async with aclosing(super().generate(request)) as events:
                async for event in events:
                    yield event
        except ProviderError:
            self.broken = True
            raise


@fault("the request of the latest answer is used for all", "test_two_streams_do_not_mix")
class LatestRequest(Good):
    latest: AsyncGenerator[StreamEvent, None]

    async def generate(self, request: ChatRequest) -> AsyncGenerator[StreamEvent, None]:
        self.latest = super().generate(request)
        while (event := await anext(self.latest, None)) is not None:
            yield event


@fault(
    "a service that is out of reach raises the error of the HTTP client", "test_a_service_out_of_reach_is_unavailable"
)
class ClientErrors(Good):
    async def generate(self, request: ChatRequest) -> AsyncGenerator[StreamEvent, None]:
        async with aclosing(super().generate(request)) as events:
            try:
                async for event in events:
                    yield event
            except Unavailable as error:
                raise aiohttp.ClientConnectionError(str(error)) from None


@fault("time.sleep between two pieces", BLOCKS)
class Sleeps(Changed):
    def change(self, event: StreamEvent) -> Sequence[StreamEvent]:
        if isinstance(event, Finished):
            import time  # noqa: PLC0415  as a plugin has it

            time.sleep(0.05)
        return [event]


@fault("half a second of a sleep that is not time.sleep", BLOCKS)
class SleepsOtherwise(Changed):
    def change(self, event: StreamEvent) -> Sequence[StreamEvent]:
        if isinstance(event, Finished):
            sleep(0.5)
        return [event]


@fault("half a second of work at the end of an answer", BLOCKS)
class Works(Changed):
    def change(self, event: StreamEvent) -> Sequence[StreamEvent]:
        end = monotonic() + 0.5 * isinstance(event, Finished)
        while monotonic() < end:
            pass
        return [event]


@fault("a list that blocks", BLOCKS)
class BlockingList(Good):
    async def list_models(self) -> Sequence[ModelInfo]:
        sleep(0.5)  # noqa: ASYNC251  the fault
        return await super().list_models()


@fault("a wait before a further attempt that blocks", "test_a_failure_does_not_block_the_loop")
class BlockingRetry(Good):
    class retry_type(Retry):  # noqa: N801  the name of the attribute
        def _backoff(self, tried: int) -> float:
            sleep(0.5)
            return 0.0


@fault("a synchronous HTTP client on the event loop", "test_every_model_is_listed")
class SynchronousList(Good):
    async def list_models(self) -> Sequence[ModelInfo]:
        with urlopen(f"{self.given.base_url}/models") as response:  # noqa: ASYNC210  the fault
            return [ModelInfo(entry["id"]) for entry in json.load(response)["data"]]


@fault("a wait is told after the end", "test_an_answer_ends_with_one_finished")
class WaitsAfterTheEnd(Changed):
    def change(self, event: StreamEvent) -> Sequence[StreamEvent]:
        return [event, Waiting("queue")] if isinstance(event, Finished) else [event]
