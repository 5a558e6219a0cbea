"""The settings of the bot: every key, its meaning, its unit, its range and its default."""

from pathlib import Path
from typing import Annotated, Literal

from pydantic import AfterValidator, BeforeValidator, Field, SecretStr

from tgllm.config import checks
from tgllm.config.paths import default_data_dir
from tgllm.config.quick import DEFAULT_MODEL
from tgllm.config.sections.access import AccessSection
from tgllm.config.sections.admin import AdminSection
from tgllm.config.sections.base import Section
from tgllm.config.sections.budgets import BudgetsSection, GroupsSection
from tgllm.config.sections.personas import PersonaSetting, read_personas
from tgllm.config.sections.prices import PriceSetting, read_prices
from tgllm.config.sections.retention import RetentionSection

__all__ = [
    "Config",
    "DatabaseSection",
    "LogSection",
    "ModelsSection",
    "RenderingSection",
    "SendingSection",
    "StreamingSection",
    "TurnsSection",
]


class TurnsSection(Section):
    """How questions are answered."""

    max_parallel: int = Field(default=32, ge=1, le=10_000, description="Turns that run at the same time, in all chats.")
    idle_timeout: float = Field(default=120.0, gt=0, description="Seconds of silence after which a model is given up.")
    attempts: int = Field(
        default=2, ge=1, le=10, description="Times a turn is begun when the program is killed in the middle."
    )
    stop_timeout: float = Field(
        default=20.0, ge=0, description="Seconds that running turns get to end when the bot stops."
    )
    context_tokens: int = Field(
        default=8000, ge=256, description="Tokens that a model is shown at most, where its chat has not chosen."
    )
    most_context_tokens: int | None = Field(
        default=None,
        ge=256,
        description="Tokens of a context at most, whatever its chat has chosen; without it, what the model takes.",
    )
    summary: Literal["off", "on"] = Field(
        default="off",
        description="Whether what no longer fits the context is summarised (off or on), where its chat has not chosen.",
    )


class StreamingSection(Section):
    """How an answer appears while it is written."""

    first_delay: float = Field(default=0.3, ge=0, description="Seconds to gather text before the first piece is shown.")
    draft_interval: float = Field(
        default=1.0, gt=0, description="Seconds between two updates of a draft (private chats)."
    )
    edit_interval: float = Field(default=3.0, gt=0, description="Seconds between two edits of a message (groups).")
    keep_alive: float = Field(
        default=20.0,
        gt=0,
        le=24,
        description="Seconds after which an unchanged draft is sent again; it fades after 30, and may be held up.",
    )


class RenderingSection(Section):
    """How an answer looks."""

    rich: Literal["auto", "always", "never"] = Field(
        default="auto",
        description="Rich messages: auto (for answers with tables, formulas, task lists or details), always or never.",
    )
    file_over: int = Field(
        default=0,
        ge=0,
        description="Characters (UTF-16 units) of an answer above which it comes as a file, below its beginning;"
        " 0: never.",
    )
    regenerate_button: bool = Field(
        default=True, description="Whether there is a button below each answer that asks for another one."
    )


class SendingSection(Section):
    """How fast the bot talks to Telegram."""

    paced: bool = Field(default=True, description="Whether the bot keeps to the rates below by itself.")
    global_rate: float = Field(default=28.0, gt=0, description="Messages per second, all chats together.")
    chat_rate: float = Field(default=1.0, gt=0, description="Messages per second to one chat.")
    chat_burst: int = Field(default=3, ge=1, description="Messages to one chat that may go out at once.")
    group_per_minute: int = Field(default=20, ge=1, description="Messages per minute to one group.")
    request_timeout: float = Field(
        default=30.0, gt=0, description="Seconds after which a call to Telegram is given up."
    )
    poll_timeout: int = Field(
        default=30, ge=1, le=50, description="Seconds that one request for updates waits at Telegram."
    )


class ModelsSection(Section):
    """How the lists of models are kept."""

    list_timeout: float = Field(default=30.0, gt=0, description="Seconds that a provider has to list its models.")


class DatabaseSection(Section):
    """How the database is used."""

    watch_interval: float = Field(
        default=1.0, gt=0, description="Seconds after which a running bot notices what the shell has changed."
    )


class LogSection(Section):
    """What the bot writes to its log."""

    level: Annotated[
        Literal["debug", "info", "warning", "error"],
        BeforeValidator(lambda value: value.lower() if isinstance(value, str) else value),
    ] = Field(default="info", description="Least important kind of line written: debug, info, warning or error.")
    format: Literal["json", "console", "auto"] = Field(
        default="auto", description="json, console (for people), or auto: console in a terminal, json elsewhere."
    )


class Config(Section):
    """All settings of the bot; those of plugins are kept apart (``tgllm.config.sources.plugins``)."""

    bot_token: Annotated[SecretStr | None, BeforeValidator(checks.bot_token)] = Field(
        default=None, description="The bot's token, from @BotFather."
    )
    telegram_api: Annotated[str, BeforeValidator(checks.telegram_api)] = Field(
        default="https://api.telegram.org", description="Address of the Bot API server; http or https."
    )
    admin_ids: Annotated[tuple[int, ...], BeforeValidator(checks.admin_ids)] = Field(
        default=(), description="Telegram user ids of the bot's owners, separated by commas or spaces."
    )
    admin_chat_id: Annotated[int | None, AfterValidator(checks.chat_id)] = Field(
        default=None, description="Chat where admins are told of requests and trouble."
    )
    data_dir: Annotated[Path, BeforeValidator(checks.folder)] = Field(
        default_factory=default_data_dir, description="Folder of the database and of files."
    )
    default_model: Annotated[str, BeforeValidator(checks.model_reference)] = Field(
        default=DEFAULT_MODEL, description="Model that answers where none was chosen, as provider/model."
    )
    language: Annotated[str, BeforeValidator(checks.language)] = Field(
        default="en", description="Language for people whose own the bot does not speak."
    )
    system_prompt: str | None = Field(default=None, description="What every model is told before a conversation.")
    disable_plugins: Annotated[tuple[str, ...], BeforeValidator(checks.names)] = Field(
        default=(), description="Plugins that are not loaded, by id, separated by commas."
    )
    refresh_cron: Annotated[str, BeforeValidator(checks.stripped)] = Field(
        default="0 4 * * *",
        description="When providers are asked for their models: five cron fields, or off. Also read from REFRESH_CRON.",
    )
    time_zone: Annotated[str, BeforeValidator(checks.time_zone)] = Field(
        default="UTC",
        description="Where cron's times are those of the clock on the wall and days begin, such as Europe/Berlin.",
    )
    prices: Annotated[tuple[PriceSetting, ...], BeforeValidator(read_prices)] = Field(
        default=(), description="Prices that go before those that providers know, by model; in a variable, as JSON."
    )
    personas: Annotated[tuple[PersonaSetting, ...], BeforeValidator(read_personas)] = Field(
        default=(), description="Ways to behave that people choose with /persona, by name; in a variable, as JSON."
    )
    budgets: BudgetsSection = BudgetsSection()
    groups: GroupsSection = GroupsSection()
    access: AccessSection = AccessSection()
    turns: TurnsSection = TurnsSection()
    streaming: StreamingSection = StreamingSection()
    rendering: RenderingSection = RenderingSection()
    sending: SendingSection = SendingSection()
    models: ModelsSection = ModelsSection()
    database: DatabaseSection = DatabaseSection()
    retention: RetentionSection = RetentionSection()
    admin: AdminSection = AdminSection()
    log: LogSection = LogSection()
