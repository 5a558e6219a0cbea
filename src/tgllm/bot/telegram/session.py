"""Session of the Bot API, faster than aiogram's own, and safe from responses that are not what they should be."""

import asyncio
import json
from collections.abc import Sequence
from http import HTTPStatus
from typing import TYPE_CHECKING, Any, Final, cast

from aiogram import Bot
from aiogram.client.session.aiohttp import AiohttpSession
from aiogram.client.telegram import TelegramAPIServer
from aiogram.exceptions import AiogramError
from aiogram.methods import Response
from aiogram.methods.base import TelegramMethod, TelegramType
from aiohttp import (
    ClientError,
    ClientResponse,
    ClientSession,
    ClientTimeout,
    DummyCookieJar,
    FormData,
    TCPConnector,
)
from pydantic import ValidationError

from tgllm.api.clock import Clock, SystemClock
from tgllm.bot.telegram.answers import UnreadableAnswer, lenient_result, raise_failure, read_object, redirect_words
from tgllm.bot.telegram.connection import CONNECT_SECONDS, ConnectionLost, certificates, failure_of
from tgllm.bot.telegram.get_updates import BadResponse, Entry, RawGetUpdates, read_entries
from tgllm.providers.connections.failure import ConnectionFailure
from tgllm.providers.connections.late_certificates import late_certificates
from tgllm.providers.proxies import find_http_proxy

if TYPE_CHECKING:
    from aiogram.types import InputFile

__all__ = ["MOST_BYTES", "BotSession"]

MOST_BYTES: Final = 16 * 1024 * 1024
"""Size of a response above which it is not read to its end. A hundred updates are seldom larger than one megabyte."""
_JSON: Final = {"Content-Type": "application/json"}
_ON_THE_LOOP: Final = 256 * 1024
"""Size of a response above which it is decoded in a thread."""


class BotSession(AiohttpSession):
    """Session that keeps the models with which responses are validated, and reads updates one by one.

    aiogram asks pydantic for ``Response[Message]`` at each response. pydantic caches such a model by a weak reference,
    so every run of the garbage collector would drop it, and building it again takes some 50 ms.
    """

    def __init__(self, api: TelegramAPIServer, *, timeout: float, clock: Clock | None = None) -> None:
        """Connect to the server ``api``; calls time out after ``timeout`` seconds, and are measured with ``clock``.

        The proxy of the environment is used; one that can't be used is left out, as ``tgllm doctor`` says.
        """
        # aiogram's own context would be replaced.
        with late_certificates():
            super().__init__(api=api, timeout=timeout)
        self._clock = clock or SystemClock()
        self._http_proxy, _ = find_http_proxy(api.base)
        if api.base.startswith("https:") or self._http_proxy is not None:
            self._connector_init["ssl"] = certificates()
        self._kept: dict[type[TelegramMethod[Any]], type[Response[Any]]] = {}
        self._polls: ClientSession | None = None
        """Connection of getUpdates: its own, so that other calls neither hide a dead one nor share it."""

    async def create_session(self) -> ClientSession:
        """Return the open session; aiogram's own has proxies only with a further package, and looks for cookies."""
        if self._session is None or self._session.closed:
            self._session = self._new_session()
            self._should_reset_connector = False
        return await super().create_session()

    def _new_session(self) -> ClientSession:
        proxy = None if self._http_proxy is None else self._http_proxy.url
        return ClientSession(connector=TCPConnector(**self._connector_init), cookie_jar=DummyCookieJar(), proxy=proxy)

    async def _session_for(self, method: str) -> ClientSession:
        if method != RawGetUpdates.__api_method__:
            return await self.create_session()
        if self._polls is None or self._polls.closed:
            self._polls = self._new_session()
        return self._polls

    async def rebuild_polls(self) -> None:
        """Close the connection of getUpdates; the next request opens another one, and looks up the address again."""
        polls, self._polls = self._polls, None
        if polls is not None:
            await polls.close()

    async def make_request(
        self, bot: Bot, method: TelegramMethod[TelegramType], timeout: float | None = None
    ) -> TelegramType:
        """Make a call as aiogram does, but decode any response, and none that is too large.

        Raises:
            BadResponse: no update can be read from the response to getUpdates.
            ConnectionLost: the server can't be reached, or answers with something else.
            AiogramError: the call failed.
        """
        seconds = self.timeout if timeout is None else timeout
        began = self._clock.monotonic()
        try:
            return await self._request(bot, method, seconds)
        except (ClientError, TimeoutError, OSError, UnreadableAnswer) as error:
            failure = self.explain(error, seconds, self._clock.monotonic() - began)
            if failure is None:
                raise
            lost: Exception = ConnectionLost(method, failure)
        except (AiogramError, BadResponse) as error:
            # Frames below this one have the URL with the token among their variables.
            lost = error.with_traceback(None)
            lost.__context__ = None
        # Not in the handler: the original error, which contains the URL with the token, would be the context.
        raise lost

    def explain(
        self, error: BaseException, seconds: float | None = None, took: float | None = None
    ) -> ConnectionFailure | None:
        """Return why a request to the server failed, see ``failure_of``."""
        return failure_of(error, self.api.base, proxy=self._http_proxy, seconds=seconds, took=took)

    async def _request(self, bot: Bot, method: TelegramMethod[TelegramType], seconds: float) -> TelegramType:
        session = await self._session_for(method.__api_method__)
        url = self.api.api_url(token=bot.token, method=method.__api_method__)
        limit = ClientTimeout(total=seconds, sock_connect=min(seconds, CONNECT_SECONDS))
        data, headers = self._body(bot, method)
        # A redirected POST would become a GET without its parameters.
        async with session.post(url, data=data, headers=headers, timeout=limit, allow_redirects=False) as response:
            if HTTPStatus.MULTIPLE_CHOICES <= response.status < HTTPStatus.BAD_REQUEST:
                place = redirect_words(response.headers.get("Location", ""))
                detail = f"HTTP {response.status}, a redirect to {place}"
                raise UnreadableAnswer(detail, "write the address behind it into {setting}", response.status)
            body, is_whole = await _read(response)
        if method.__api_method__ == RawGetUpdates.__api_method__ and _is_success(response.status):
            entries = await self._entries(response.status, body, is_whole=is_whole)
            if entries is not None:
                return cast("TelegramType", entries)
        elif not is_whole:
            raise UnreadableAnswer(f"the answer is larger than {MOST_BYTES // 2**20} MiB", "check {setting}")
        return cast("TelegramType", self._response(bot, method, response.status, body).result)

    def _body(self, bot: Bot, method: TelegramMethod[Any]) -> tuple[bytes | FormData, dict[str, str] | None]:
        """Return the body of a call and its headers: JSON, which is less work than a form, unless it has files."""
        files: dict[str, InputFile] = {}
        fields = {
            name: value
            for name, given in method.model_dump(warnings=False).items()
            # A form has no null, and aiogram sends no empty text.
            if (value := self.prepare_value(given, bot=bot, files=files, _dumps_json=False)) not in (None, "")
        }
        if files:
            return self.build_form_data(bot=bot, method=method), None
        return json.dumps(fields, ensure_ascii=False, separators=(",", ":")).encode(), _JSON

    async def _entries(self, status: int, body: bytes, *, is_whole: bool) -> Sequence[Entry] | None:
        """Return the updates of a response.

        Raises:
            BadResponse: no update can be read; for a page of a gateway, the reason says so.
        """
        try:
            return await _entries(body, is_whole=is_whole)
        except BadResponse as error:
            if error.is_of_bot_api or not is_whole:
                raise
            reason, first_id = self._what_is_wrong(status, body), error.first_id
            if not reason:
                raise
        # Not in the handler, so that the first error is not the context.
        raise BadResponse(reason, first_id=first_id)

    def _what_is_wrong(self, status: int, body: bytes) -> str:
        """Return why a body is no response to getUpdates; empty if it is the object of a response."""
        try:
            read_object(RawGetUpdates.__api_method__, status, body)
        except UnreadableAnswer as page:
            return str(self.explain(page))
        return ""

    def check_response(
        self, bot: Bot, method: TelegramMethod[TelegramType], status_code: int, content: str
    ) -> Response[TelegramType]:
        """Return the response of a text, as ``_response`` does."""
        return self._response(bot, method, status_code, content.encode())

    def _response(
        self, bot: Bot, method: TelegramMethod[TelegramType], status: int, body: bytes
    ) -> Response[TelegramType]:
        """Keep the response model, then validate as aiogram does, but leave out what the bot does not need.

        Raises:
            UnreadableAnswer: the response is none of the Bot API, or lacks a field that is needed.
            TelegramAPIError: the response is an error.
        """
        if type(method) not in self._kept:
            self._kept[type(method)] = Response[method.__returning__]
        answer = read_object(method.__api_method__, status, body)
        if not (answer.get("ok") is True and _is_success(status)):
            raise_failure(method, status, answer)
        try:
            response = self._kept[type(method)].model_validate(answer, context={"bot": bot})
        except (ValidationError, RecursionError):
            result = lenient_result(method, answer.get("result"))
            return cast("Response[TelegramType]", Response[Any].model_construct(ok=True, result=result))
        if response.result is None:
            lenient_result(method, None)
        return cast("Response[TelegramType]", response)

    async def close(self) -> None:
        """Close the connections; without TLS, skip aiogram's wait of 250 ms for TLS connections to close."""
        await self.rebuild_polls()
        if self.api.base.startswith("https:"):
            await super().close()
        elif self._session is not None:
            await self._session.close()


def _is_success(status: int) -> bool:
    return HTTPStatus.OK <= status <= HTTPStatus.IM_USED


async def _read(response: ClientResponse) -> tuple[bytes, bool]:
    """Return the body, or its beginning if it is too large, and whether it is all of it."""
    body = bytearray()
    async for piece in response.content.iter_any():
        body += piece
        if len(body) > MOST_BYTES:
            # The rest may have no end, so the connection can't be used again.
            response.close()
            return bytes(body[:MOST_BYTES]), False
    return bytes(body), True


async def _entries(body: bytes, *, is_whole: bool) -> Sequence[Entry] | None:
    if len(body) <= _ON_THE_LOOP:
        return read_entries(body, is_whole=is_whole)
    return await asyncio.to_thread(read_entries, body, is_whole=is_whole)
