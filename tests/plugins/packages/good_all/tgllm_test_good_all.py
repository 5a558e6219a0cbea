"""Implements every hook, and notes each call in ``calls``."""

from collections.abc import AsyncGenerator, Sequence
from dataclasses import replace
from pathlib import Path

from tgllm import hookimpl
from tgllm.api import (
    ChatCommand,
    ChatRequest,
    Check,
    CommandCall,
    Decision,
    Extracted,
    ExtractionLimits,
    FileHandler,
    Finished,
    JobSpec,
    ModelInfo,
    PluginContext,
    PluginInfo,
    Provider,
    ProviderSpec,
    Recording,
    StreamEvent,
    TextDelta,
    TgllmError,
    Transcriber,
    Transcript,
    TurnInfo,
    TurnResult,
    UserInfo,
)


@hookimpl
def tgllm_plugin_info() -> PluginInfo:
    return PluginInfo(id="good_all", title="Good all", api="1.0")


calls: list[tuple[str, object]] = []


class Parrot(Provider):
    async def list_models(self) -> Sequence[ModelInfo]:
        return [ModelInfo(id="grey")]

    async def generate(self, request: ChatRequest) -> AsyncGenerator[StreamEvent, None]:
        yield TextDelta(f"Parrot: {request.messages[-1].text}")
        yield Finished()


def extract(path: Path, limits: ExtractionLimits) -> Extracted:
    return Extracted(path.read_text(encoding="utf-8")[: limits.max_chars])


async def listen(recording: Recording) -> Transcript:
    return Transcript(f"{recording.size} bytes of {recording.mime_type}", language=recording.language)


async def greet(call: CommandCall) -> str:
    return f"Hello {call.user.name}"


async def sweep(ctx: PluginContext) -> None:
    calls.append(("sweep", ctx.plugin_id))


@hookimpl
def tgllm_providers(ctx: PluginContext) -> Sequence[ProviderSpec]:
    return [ProviderSpec(id="parrot", title="Parrot", create=lambda _: Parrot(), aliases=("polly",))]


@hookimpl
def tgllm_commands() -> Sequence[ChatCommand]:
    return [ChatCommand("greet", "Say hello", greet, aliases=("hello",))]


@hookimpl
def tgllm_file_handlers() -> Sequence[FileHandler]:
    return [FileHandler("plain", frozenset({"text/*"}), extract)]


@hookimpl
def tgllm_transcribers() -> Sequence[Transcriber]:
    return [Transcriber("ears", frozenset({"audio/*"}), listen)]


@hookimpl
def tgllm_jobs() -> Sequence[JobSpec]:
    return [JobSpec("sweep", "Sweep up", "0 4 * * *", sweep)]


@hookimpl
def tgllm_doctor(ctx: PluginContext) -> Sequence[Check]:
    return [Check("feathers", "ok", ctx.plugin_id)]


@hookimpl
async def tgllm_startup(ctx: PluginContext) -> None:
    calls.append(("startup", ctx.plugin_id))


@hookimpl
def tgllm_shutdown(ctx: PluginContext) -> None:
    calls.append(("shutdown", ctx.plugin_id))


@hookimpl
async def tgllm_authorize(user: UserInfo, action: str) -> Decision | None:
    calls.append(("authorize", action))
    return Decision.deny(f"No buttons for {user.name}.") if action == "button" else None


@hookimpl
def tgllm_before_request(request: ChatRequest, turn: TurnInfo) -> ChatRequest:
    calls.append(("before_request", turn.id))
    return replace(request, system="Speak like a parrot.")


@hookimpl
async def tgllm_after_reply(result: TurnResult) -> None:
    calls.append(("after_reply", result.text))


@hookimpl
def tgllm_on_error(error: TgllmError) -> None:
    calls.append(("on_error", error.code))
