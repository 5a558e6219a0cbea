"""A provider for the made-up service that keeps the contract, and many that break it in one way each."""

import codecs
from collections.abc import AsyncGenerator, Callable, Sequence
from contextlib import aclosing
from dataclasses import replace
from typing import Any

from memory.wire import ENDPOINTS, MODEL, Chunk, Endpoint
from pydantic import BaseModel, SecretStr

from tgllm import api, hookimpl
from tgllm.api import (
    ChatMessage,
    ChatRequest,
    Check,
    FilePart,
    Finished,
    ModelInfo,
    PluginContext,
    PluginInfo,
    Provider,
    ProviderError,
    ProviderSpec,
    RateLimited,
    ReasoningDelta,
    StreamEvent,
    TextDelta,
    Unavailable,
    Unsupported,
    Usage,
)


class Settings(BaseModel):
    api_key: SecretStr | None = None
    address: str = ""


class Good(Provider):
    """Keeps the contract."""

    def __init__(self, ctx: PluginContext) -> None:
        assert isinstance(ctx.settings, Settings)
        self.ctx = ctx
        self.address = ctx.settings.address
        self.key = self.check_key(ctx.settings.api_key)
        self.connected: Endpoint | None = None

    def check_key(self, key: SecretStr | None) -> str:
        if key is None:
            raise api.NotConfigured("there is no key: set MEMORY_KEY")
        return key.get_secret_value()

    def connect(self) -> Endpoint:
        if self.address not in ENDPOINTS:
            raise Unavailable("nobody listens")
        if self.connected is None:
            self.connected = ENDPOINTS[self.address]
            self.connected.connections += 1
        return self.connected

    def error(self, words: str) -> ProviderError:
        name, _, rest = words.partition(" ")
        wait = rest.split(" ")[0]
        if name == "RateLimited":
            return RateLimited("too many", retry_after=float(wait) if wait else None)
        return getattr(api, name)("the service said no")

    async def list_models(self) -> Sequence[ModelInfo]:
        models = self.connect().models(self.key)
        if isinstance(models, str):
            raise self.error(models)
        return [ModelInfo(name, context_window=1000, mime_types=frozenset({"image/*"})) for name in models]

    def body(self, request: ChatRequest) -> dict[str, Any]:
        return {
            "model": request.model,
            "system": request.system,
            "temperature": request.temperature,
            "max": request.max_output_tokens,
            "messages": [self.message(message) for message in request.messages],
        }

    def message(self, message: ChatMessage) -> dict[str, Any]:
        return {
            "text": message.text,
            "thought": (message.provider_data or {}).get("thought"),
            "files": [self.file(part) for part in message.parts if isinstance(part, FilePart)],
        }

    def file(self, part: FilePart) -> str:
        if not part.mime_type.startswith("image/"):
            raise Unsupported("images only")
        if not part.path.exists():
            raise Unsupported("the file is gone")
        return part.path.read_bytes().hex()

    async def generate(self, request: ChatRequest) -> AsyncGenerator[StreamEvent, None]:
        endpoint, body = self.connect(), self.body(request)
        async with aclosing(endpoint.play(self.key, body)) as chunks, aclosing(self.read(chunks)) as events:
            async for event in events:
                yield event

    async def read(self, chunks: AsyncGenerator[Chunk, None]) -> AsyncGenerator[StreamEvent, None]:
        decode = codecs.getincrementaldecoder("utf-8")().decode
        thought, usage = "", Usage()
        async for kind, value in chunks:
            match kind:
                case "text":
                    if text := decode(value):
                        yield TextDelta(text)
                case "reasoning":
                    thought += value
                    yield ReasoningDelta(value)
                case "usage":
                    usage = self.usage(value)
                case "error":
                    raise self.error(value)
                case "refusal":
                    raise self.refusal(value)
                case "odd":
                    self.pass_over()
                case "eof":
                    break
                case _:
                    yield Finished("stop", usage, self.data(thought))
                    return
        raise Unavailable("the connection was lost")

    def refusal(self, words: str) -> ProviderError:
        return Unavailable(words.replace(self.key, "[hidden]"))

    def pass_over(self) -> None:
        """Something that is no part of the answer does not end it."""

    def usage(self, counted: dict[str, Any]) -> Usage:
        return Usage(counted["in"], counted["out"], 0, 0)

    def data(self, thought: str) -> dict[str, Any] | None:
        return {"thought": thought} if thought else None

    async def aclose(self) -> None:
        if self.connected is not None:
            self.connected.connections -= 1
            self.connected = None


class Plugin:
    """The plugin with one of the providers."""

    settings: type[Settings] = Settings

    def __init__(self, provider: Callable[[PluginContext], Provider], provider_id: str = "memory") -> None:
        self.provider = provider
        self.provider_id = provider_id

    @hookimpl
    def tgllm_plugin_info(self) -> PluginInfo:
        return PluginInfo("memory", "Memory", "1.0", self.settings, {"api_key": "MEMORY_KEY"})

    @hookimpl
    def tgllm_providers(self) -> Sequence[ProviderSpec]:
        return [ProviderSpec(self.provider_id, "Memory", self.provider)]

    @hookimpl
    def tgllm_doctor(self, ctx: PluginContext) -> Sequence[Check]:
        assert isinstance(ctx.settings, Settings)
        return [self.check(ctx.settings)]

    def check(self, settings: Settings) -> Check:
        return Check("memory: key", "ok" if settings.api_key else "not configured")


class TwoEnds(Good):
    async def read(self, chunks: AsyncGenerator[Chunk, None]) -> AsyncGenerator[StreamEvent, None]:
        async with aclosing(super().read(chunks)) as events:
            async for event in events:
                yield event
                if isinstance(event, Finished):
                    yield event


class TextBehindTheEnd(Good):
    async def read(self, chunks: AsyncGenerator[Chunk, None]) -> AsyncGenerator[StreamEvent, None]:
        async with aclosing(super().read(chunks)) as events:
            async for event in events:
                yield event
                if isinstance(event, Finished):
                    yield TextDelta("")


class HalfCharacters(Good):
    async def read(self, chunks: AsyncGenerator[Chunk, None]) -> AsyncGenerator[StreamEvent, None]:
        async def decoded() -> AsyncGenerator[Chunk, None]:
            async for kind, value in chunks:
                yield kind, value.decode(errors="replace").encode() if kind == "text" else value

        async with aclosing(super().read(decoded())) as events:
            async for event in events:
                yield event


class NoWhiteSpaceAtTheStart(Good):
    async def read(self, chunks: AsyncGenerator[Chunk, None]) -> AsyncGenerator[StreamEvent, None]:
        begun = False
        async with aclosing(super().read(chunks)) as events:
            async for event in events:
                if isinstance(event, TextDelta) and not begun and event.text.isspace():
                    continue
                begun = True
                yield event


class AllAtOnce(Good):
    async def read(self, chunks: AsyncGenerator[Chunk, None]) -> AsyncGenerator[StreamEvent, None]:
        async with aclosing(super().read(chunks)) as events:
            whole = [event async for event in events]
        for event in whole:
            yield event


class OneStreamOnly(Good):
    chunks: AsyncGenerator[Chunk, None]

    async def generate(self, request: ChatRequest) -> AsyncGenerator[StreamEvent, None]:
        self.chunks = self.connect().play(self.key, self.body(request))
        async with aclosing(self.chunks), aclosing(self.read(self.latest())) as events:
            async for event in events:
                yield event

    async def latest(self) -> AsyncGenerator[Chunk, None]:
        while (chunk := await anext(self.chunks, None)) is not None:
            yield chunk


class UsageTurnedRound(Good):
    def usage(self, counted: dict[str, Any]) -> Usage:
        return Usage(counted["out"], counted["in"])


class MoreThoughtThanSaid(Good):
    def usage(self, counted: dict[str, Any]) -> Usage:
        return replace(super().usage(counted), reasoning_tokens=counted["out"] + 1)


class ThoughtsInTheText(Good):
    async def read(self, chunks: AsyncGenerator[Chunk, None]) -> AsyncGenerator[StreamEvent, None]:
        async with aclosing(super().read(chunks)) as events:
            async for event in events:
                yield TextDelta(event.text) if isinstance(event, ReasoningDelta) else event


class OneTokenAlways(Good):
    async def count_tokens(self, request: ChatRequest) -> int | None:
        return 1


class NoHistory(Good):
    def body(self, request: ChatRequest) -> dict[str, Any]:
        return super().body(replace(request, messages=request.messages[-1:]))


class NoSystem(Good):
    def body(self, request: ChatRequest) -> dict[str, Any]:
        return super().body(replace(request, system=None))


class NoTemperature(Good):
    def body(self, request: ChatRequest) -> dict[str, Any]:
        return super().body(replace(request, temperature=None))


class NoLimit(Good):
    def body(self, request: ChatRequest) -> dict[str, Any]:
        return super().body(replace(request, max_output_tokens=None))


class NoImages(Good):
    def file(self, part: FilePart) -> str:
        super().file(part)
        return ""


class NoWordOnFiles(Good):
    def file(self, part: FilePart) -> str:
        return super().file(part) if part.mime_type.startswith("image/") else ""


class NoData(Good):
    def data(self, thought: str) -> dict[str, Any] | None:
        return None


class UnstorableData(Good):
    def data(self, thought: str) -> dict[str, Any] | None:
        return {"thought": thought, "pair": (1, 2)}


class TrustsData(Good):
    def message(self, message: ChatMessage) -> dict[str, Any]:
        if message.provider_data is not None:
            assert "thought" in message.provider_data
        return super().message(message)


class AnyError(Good):
    def error(self, words: str) -> ProviderError:
        error = super().error(words)
        return ProviderError("no") if type(error) is api.QuotaExceeded else error


class KeyInTheError(Good):
    def error(self, words: str) -> ProviderError:
        error = super().error(words)
        return type(error)(words) if type(error) is api.Refused else error


class KeyInTheParams(Good):
    def error(self, words: str) -> ProviderError:
        error = super().error(words)
        return type(error)(said=words) if type(error) is api.Refused else error


class KeyInTheCause(Good):
    def error(self, words: str) -> ProviderError:
        error = super().error(words)
        error.__cause__ = ValueError(words) if type(error) is api.Refused else None
        return error


class KeyInTheLog(Good):
    def error(self, words: str) -> ProviderError:
        error = super().error(words)
        if type(error) is api.Refused:
            self.ctx.log.warning("the service said no", said=words)
        return error


class AnyModel(Good):
    def body(self, request: ChatRequest) -> dict[str, Any]:
        return super().body(replace(request, model=MODEL))


class NoWait(Good):
    def error(self, words: str) -> ProviderError:
        error = super().error(words)
        return RateLimited() if isinstance(error, RateLimited) else error


class HalfIsWhole(Good):
    async def read(self, chunks: AsyncGenerator[Chunk, None]) -> AsyncGenerator[StreamEvent, None]:
        async def ended() -> AsyncGenerator[Chunk, None]:
            kind = ""
            async for chunk in chunks:
                kind = chunk[0]
                yield chunk
            if kind == "text":
                yield "end", None

        async with aclosing(super().read(ended())) as events:
            async for event in events:
                yield event


class NoModelsOnFailure(Good):
    async def list_models(self) -> Sequence[ModelInfo]:
        try:
            return await super().list_models()
        except ProviderError:
            return []


class OddModels(Good):
    async def list_models(self) -> Sequence[ModelInfo]:
        return [replace(model, context_window=-1) for model in await super().list_models()]


class OddNames(Good):
    async def list_models(self) -> Sequence[ModelInfo]:
        return [*await super().list_models(), ModelInfo("two words")]


class OddKinds(Good):
    async def list_models(self) -> Sequence[ModelInfo]:
        return [replace(model, mime_types=frozenset({"png"})) for model in await super().list_models()]


class OddPrices(Good):
    async def list_models(self) -> Sequence[ModelInfo]:
        return [replace(model, price=api.Price(-1.0, 2.0)) for model in await super().list_models()]


class OddDays(Good):
    async def list_models(self) -> Sequence[ModelInfo]:
        return [replace(model, price=api.Price(1.0, 2.0, as_of="May")) for model in await super().list_models()]


class OneNameTwice(Good):
    async def list_models(self) -> Sequence[ModelInfo]:
        return [replace(model, aliases=("memory",)) for model in await super().list_models()]


class SwallowsCancellation(Good):
    async def generate(self, request: ChatRequest) -> AsyncGenerator[StreamEvent, None]:
        import asyncio  # noqa: PLC0415  only these two providers need it

        async with aclosing(super().generate(request)) as events:
            try:
                async for event in events:
                    yield event
            except asyncio.CancelledError:
                yield Finished("stopped")


class LeavesStreamsOpen(Good):
    kept: list[object]

    async def generate(self, request: ChatRequest) -> AsyncGenerator[StreamEvent, None]:
        chunks = self.connect().play(self.key, self.body(request))
        self.kept = [*getattr(self, "kept", []), chunks]
        async for event in self.read(shielded(chunks)):
            yield event


async def shielded(chunks: AsyncGenerator[Chunk, None]) -> AsyncGenerator[Chunk, None]:
    """The chunks; a reader that stops does not stop them."""
    import asyncio  # noqa: PLC0415  only these two providers need it

    tasks = []
    while True:
        tasks.append(asyncio.ensure_future(anext(chunks, None)))
        chunk = await asyncio.shield(tasks[-1])
        if chunk is None:
            return
        yield chunk


class OnlyOneClosedStream(Good):
    broken = False

    async def generate(self, request: ChatRequest) -> AsyncGenerator[StreamEvent, None]:
        if self.broken:
            raise Unavailable("the stream before this one was not read to its end")
        async with aclosing(super().generate(request)) as events:
            try:
                async for event in events:
                    yield event
            except GeneratorExit:
                self.broken = True
                raise


class StaysConnected(Good):
    async def aclose(self) -> None:
        self.connected = None


class ClosesOnce(Good):
    closed = False

    async def aclose(self) -> None:
        assert not self.closed
        self.closed = True
        await super().aclose()


class ClosesAfterUseOnly(Good):
    used = False

    def connect(self) -> Endpoint:
        self.used = True
        return super().connect()

    async def count_tokens(self, request: ChatRequest) -> int | None:
        self.used = True
        return None

    async def aclose(self) -> None:
        assert self.used
        await super().aclose()


class OsErrors(Good):
    def connect(self) -> Endpoint:
        if self.address not in ENDPOINTS:
            raise ConnectionRefusedError("nobody listens")
        return super().connect()


class NoKeyNeeded(Good):
    def check_key(self, key: SecretStr | None) -> str:
        return key.get_secret_value() if key else ""


class KeyWithoutName(Good):
    def check_key(self, key: SecretStr | None) -> str:
        if key is None:
            raise api.NotConfigured("there is no key")
        return super().check_key(key)


class ChangesTheRequest(Good):
    def message(self, message: ChatMessage) -> dict[str, Any]:
        body = super().message(message)
        (message.provider_data or {}).clear()
        return body


class BeginsAgain(Good):
    async def generate(self, request: ChatRequest) -> AsyncGenerator[StreamEvent, None]:
        begun = False
        for _ in range(2):
            async with aclosing(super().generate(request)) as events:
                try:
                    async for event in events:
                        yield event
                        begun = True
                    return
                except ProviderError:
                    if not begun:
                        raise


class MiddleIsTheEnd(Good):
    async def generate(self, request: ChatRequest) -> AsyncGenerator[StreamEvent, None]:
        begun = False
        async with aclosing(super().generate(request)) as events:
            try:
                async for event in events:
                    yield event
                    begun = True
            except ProviderError as error:
                if not begun or (isinstance(error, Unavailable) and "lost" in str(error)):
                    raise
                yield Finished("other")


class EofIsTheEnd(Good):
    async def read(self, chunks: AsyncGenerator[Chunk, None]) -> AsyncGenerator[StreamEvent, None]:
        async def ended() -> AsyncGenerator[Chunk, None]:
            async for kind, value in chunks:
                yield ("end" if kind == "eof" else kind), value

        async with aclosing(super().read(ended())) as events:
            async for event in events:
                yield event


class Strict(Good):
    def pass_over(self) -> None:
        raise api.BadResponse("this is not in the documentation")


class NoWords(Good):
    def refusal(self, words: str) -> ProviderError:
        return Unavailable("the service said no")


class KeyInTheWords(Good):
    def refusal(self, words: str) -> ProviderError:
        return Unavailable(words)


class AsksTwice(Good):
    async def generate(self, request: ChatRequest) -> AsyncGenerator[StreamEvent, None]:
        for last in (False, True):
            async with aclosing(super().generate(request)) as events:
                try:
                    async for event in events:
                        yield event
                    return
                except api.AuthFailed:
                    if last:
                        raise


class ClosesAllStreams(Good):
    closed = 0

    async def generate(self, request: ChatRequest) -> AsyncGenerator[StreamEvent, None]:
        closed_before = self.closed
        async with aclosing(super().generate(request)) as events:
            try:
                async for event in events:
                    if self.closed != closed_before:
                        raise Unavailable("the connection was closed")
                    yield event
            except GeneratorExit:
                self.closed += 1
                raise


class OpenSettings(Settings):
    api_key: str | None = None  # type: ignore[assignment]  the mistake that the kit has to find


class ShowsItsKey(Good):
    """The plugin's settings do."""

    def check_key(self, key: Any) -> str:
        return super().check_key(SecretStr(key) if key else None)


class OpenPlugin(Plugin):
    settings = OpenSettings


class AlwaysWell(Plugin):
    def check(self, settings: Settings) -> Check:
        return Check("memory: key", "ok")


class TellsTheKey(Plugin):
    def check(self, settings: Settings) -> Check:
        if settings.api_key is None:
            return super().check(settings)
        return Check("memory: key", "ok", f"it is {settings.api_key.get_secret_value()}")


class TakesAnyHook(Plugin):
    @hookimpl
    def tgllm_tomorrow(self) -> None: ...


PLUGINS = {kind.__name__: Plugin(kind) for kind in (Good, *Good.__subclasses__())}
PLUGINS |= {"AlwaysWell": AlwaysWell(Good), "ShowsItsKey": OpenPlugin(ShowsItsKey), "TellsTheKey": TellsTheKey(Good)}
globals().update({f"with_{name}": plugin for name, plugin in PLUGINS.items()})
with_unknown_hook = TakesAnyHook(Good)
with_bad_id = Plugin(Good, "Memory One")
with_taken_id = Plugin(Good, "echo")
