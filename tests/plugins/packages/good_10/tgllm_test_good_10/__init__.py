"""A provider on the toolkit, a command, a file handler, a job and hooks around turns."""

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from pydantic import BaseModel, ConfigDict, Field, SecretStr

from tgllm import hookimpl
from tgllm.api import (
    ChatCommand,
    ChatInfo,
    ChatRequest,
    Check,
    CommandCall,
    Decision,
    Extracted,
    ExtractionLimits,
    FileHandler,
    JobSpec,
    NotConfigured,
    PluginContext,
    PluginInfo,
    Provider,
    ProviderSpec,
    Reply,
    TgllmError,
    TurnInfo,
    TurnResult,
    UserInfo,
)

KEY = "GOOD_10_KEY"


class Settings(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)

    api_key: SecretStr | None = None
    base_url: str = Field(default="https://api.example.org/v1", pattern=r"^https?://\S+$")
    timeout_seconds: float = Field(default=60.0, gt=0)
    persona: str = "Answer like a sailor."


@hookimpl
def tgllm_plugin_info() -> PluginInfo:
    return PluginInfo(id="good_10", title="Good 1.0", api="1.0", settings=Settings, env={"api_key": KEY})


def settings_of(ctx: PluginContext) -> Settings:
    assert isinstance(ctx.settings, Settings)
    return ctx.settings


def create(ctx: PluginContext) -> Provider:
    from tgllm_test_good_10.provider import make_provider  # noqa: PLC0415  light to list, heavy to use

    key = settings_of(ctx).api_key
    if key is None:
        raise NotConfigured(f"set {KEY}", variable=KEY)
    return make_provider(ctx, settings_of(ctx).base_url, key.get_secret_value(), settings_of(ctx).timeout_seconds)


async def count(ctx: PluginContext, what: str) -> int:
    found = await ctx.store.get(what)
    number = found + 1 if isinstance(found, int) else 1
    await ctx.store.set(what, number)
    ctx.log.info("counted", what=what, number=number)
    return number


async def tally(call: CommandCall) -> Reply:
    answers = await call.context.store.get("answers")
    return Reply(f"**{call.user.name}** asked for `{call.args}`; answers so far: {answers or 0}", markdown=True)


async def sweep(ctx: PluginContext) -> None:
    await count(ctx, "sweeps")
    (ctx.data_dir / "swept").write_text(f"{ctx.clock.now():.0f}", encoding="utf-8")


def extract(path: Path, limits: ExtractionLimits) -> Extracted:
    text = path.read_text(encoding="utf-8")
    return Extracted(text[: limits.max_chars], truncated=len(text) > limits.max_chars)


@hookimpl
def tgllm_providers(ctx: PluginContext) -> Sequence[ProviderSpec]:
    return [ProviderSpec(id="good_10", title="Good 1.0", create=create, aliases=("ten",))]


@hookimpl
def tgllm_commands() -> Sequence[ChatCommand]:
    return [ChatCommand("tally", "Count answers", tally, descriptions={"ru": "Посчитать ответы"})]


@hookimpl
def tgllm_file_handlers() -> Sequence[FileHandler]:
    return [FileHandler("good_10_text", frozenset({"text/x-good-10"}), extract)]


@hookimpl
def tgllm_jobs() -> Sequence[JobSpec]:
    return [JobSpec("good_10_sweep", "Sweep", "0 5 * * *", sweep, timeout=30.0)]


@hookimpl
def tgllm_doctor(ctx: PluginContext) -> Sequence[Check]:
    if settings_of(ctx).api_key:
        return [Check("Good 1.0: key", "ok")]
    return [Check("Good 1.0: key", "not configured", f"set {KEY}")]


@hookimpl
async def tgllm_startup(ctx: PluginContext) -> None:
    await count(ctx, "starts")


@hookimpl
def tgllm_shutdown(ctx: PluginContext) -> None:
    (ctx.data_dir / "shut down").touch()


@hookimpl(trylast=True)
def tgllm_authorize(user: UserInfo, chat: ChatInfo, action: str) -> Decision | None:
    return Decision.deny("Not here.") if chat.kind == "channel" and not user.is_admin and action == "button" else None


@hookimpl
def tgllm_before_request(ctx: PluginContext, request: ChatRequest, turn: TurnInfo) -> ChatRequest | None:
    return replace(request, system=settings_of(ctx).persona) if turn.model.provider == "good_10" else None


@hookimpl
async def tgllm_after_reply(ctx: PluginContext, turn: TurnInfo, result: TurnResult) -> None:
    if turn.model.provider == "good_10" and result.reason == "stop":
        await count(ctx, "answers")


@hookimpl
async def tgllm_on_error(ctx: PluginContext, turn: TurnInfo, error: TgllmError) -> None:
    await count(ctx, f"error {error.code} of {turn.model}")
