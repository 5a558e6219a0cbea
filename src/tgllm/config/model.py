"""Settings of the bot: keys, meanings, units, ranges and defaults."""

from pathlib import Path
from typing import Annotated, Final, Literal

from pydantic import AfterValidator, BeforeValidator, Field, SecretStr, ValidationInfo, field_validator

from tgllm.config import checks
from tgllm.config.paths import default_data_dir
from tgllm.config.quick import DEFAULT_LANGUAGE, DEFAULT_MODEL, DEFAULT_TIME_ZONE
from tgllm.config.sections.access import AccessSection, RoleSetting, read_roles
from tgllm.config.sections.admin import AdminSection
from tgllm.config.sections.backups import BackupsSection
from tgllm.config.sections.base import Section
from tgllm.config.sections.budgets import BudgetsSection, GroupsSection
from tgllm.config.sections.errors import ErrorsSection
from tgllm.config.sections.files import FilesSection
from tgllm.config.sections.personas import PersonaSetting, read_personas
from tgllm.config.sections.prices import PriceSetting, read_prices
from tgllm.config.sections.reminders import RemindersSection
from tgllm.config.sections.replicas import ReplicasSection
from tgllm.config.sections.retention import RetentionSection
from tgllm.config.sections.s3 import S3Section
from tgllm.config.sections.tools import ToolsSection
from tgllm.config.sections.tracing import TracingSection
from tgllm.config.sections.web import WebSection
from tgllm.config.sections.webhook import WebhookSection, refused_by_telegram

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


TELEGRAM_API: Final = "https://api.telegram.org"


class TurnsSection(Section):
    """Settings of turns and the context."""

    max_parallel: int = Field(
        default=32,
        ge=1,
        le=10_000,
        description="Maximum number of concurrent turns, over all chats; the topics of one chat get a quarter of them.",
    )
    idle_timeout: float = Field(
        default=120.0, gt=0, description="Seconds without an event from a model after which its call times out."
    )
    wait_timeout: float = Field(
        default=900.0,
        gt=0,
        description="Seconds without text from a model that sends only keep-alive or waiting events; "
        "at least idle_timeout.",
    )
    max_answer: int = Field(
        default=200_000,
        ge=0,
        description="Characters of an answer, and of its reasoning, after which its stream is ended; 0: no limit.",
    )
    attempts: int = Field(
        default=4,
        ge=1,
        le=10,
        description="Crashes of the bot in succession during a question that runs alone after which it is given up.",
    )
    stop_timeout: float = Field(default=20.0, ge=0, description="Seconds that running turns get to finish at shutdown.")
    context_tokens: int = Field(default=8000, ge=256, description="Default context size of a chat, in tokens.")
    most_context_tokens: int | None = Field(
        default=None,
        ge=256,
        description="Maximum context size of every chat, in tokens; without it, the model's context window.",
    )
    summary: Literal["off", "on"] = Field(
        default="off",
        description="Default for summarising messages that no longer fit the context: off or on.",
    )


class StreamingSection(Section):
    """Settings of previews of an answer in progress."""

    first_delay: float = Field(default=0.3, ge=0, description="Seconds to collect text before the first preview.")
    draft_interval: float = Field(
        default=1.0, gt=0, description="Seconds between two updates of a draft (private chats)."
    )
    edit_interval: float = Field(default=3.0, gt=0, description="Seconds between two edits of a message (groups).")
    keep_alive: float = Field(
        default=20.0,
        gt=0,
        le=24,
        description="Seconds after which an unchanged draft is sent again; drafts expire after 30.",
    )


class RenderingSection(Section):
    """Settings of finished answers."""

    rich: Literal["auto", "always", "never"] = Field(
        default="auto",
        description="Rich messages: auto (for answers with tables, formulas, task lists or details), always or never.",
    )
    file_over: int = Field(
        default=16_000,
        ge=0,
        description="UTF-16 units above which an answer or reply is a file, with its beginning as a message; 0: never.",
    )
    timeout: float = Field(
        default=5.0,
        gt=0,
        description="Seconds to format a text above 20,000 characters; after them it is sent as plain text.",
    )
    code_lines: int = Field(
        default=30,
        ge=0,
        description="Lines from which a code block has a button below the answer that sends it as a file; tables and "
        "answers of several messages have one too. 0: no such buttons.",
    )
    regenerate_button: bool = Field(default=True, description="Whether answers have a Regenerate button.")


class SendingSection(Section):
    """Rate limits and timeouts of Bot API calls."""

    paced: bool = Field(default=True, description="Whether the bot enforces the rate limits below.")
    global_rate: float = Field(default=28.0, gt=0, description="Messages per second, over all chats.")
    chat_rate: float = Field(default=1.0, gt=0, description="Messages per second to one chat.")
    chat_burst: int = Field(default=3, ge=1, description="Messages to one chat that may be sent in a burst.")
    group_per_minute: int = Field(default=20, ge=1, description="Messages per minute to one group.")
    request_timeout: float = Field(default=30.0, gt=0, description="Timeout of a Bot API call, in seconds.")
    poll_timeout: int = Field(default=30, ge=1, le=50, description="Long-polling timeout of getUpdates, in seconds.")
    resolve: bool = Field(
        default=True,
        description="Whether the bot finds out by message ids if a message arrived that Telegram did not confirm.",
    )
    unknown: Literal["ask", "resend"] = Field(
        default="ask",
        description="What happens if that can't be found out: ask the person, or resend the message with the mark "
        '"↻ may be a repeat".',
    )


class ModelsSection(Section):
    """Settings of the lists of models."""

    list_timeout: float = Field(default=30.0, gt=0, description="Timeout of a provider's list of models, in seconds.")


class DatabaseSection(Section):
    """Settings of the database."""

    url: Annotated[SecretStr | None, BeforeValidator(checks.database_url)] = Field(
        default=None,
        description="URL of a PostgreSQL database, such as postgresql://user:password@host/name, for several replicas "
        "of the bot; by default the data folder has a SQLite database.",
    )
    listen_url: Annotated[SecretStr | None, BeforeValidator(checks.database_url)] = Field(
        default=None,
        description="URL of the same database without a pooler in between, by which replicas wake each other; by "
        "default url.",
    )
    pooled: bool = Field(
        default=False,
        description="Whether url is that of a pooler such as PgBouncer that shares connections between transactions.",
    )
    watch_interval: float = Field(
        default=1.0, gt=0, description="Seconds between checks of a running bot for changes made from the shell."
    )


class LogSection(Section):
    """Settings of the log."""

    level: Annotated[
        Literal["debug", "info", "warning", "error"],
        BeforeValidator(lambda value: value.lower() if isinstance(value, str) else value),
    ] = Field(default="info", description="Minimum level of log lines: debug, info, warning or error.")
    format: Literal["json", "console", "auto"] = Field(
        default="auto", description="json, console (human-readable), or auto: console in a terminal, json elsewhere."
    )


class Config(Section):
    """All settings of the bot, without those of plugins (``tgllm.config.sources.plugins``)."""

    bot_token: Annotated[SecretStr | None, BeforeValidator(checks.bot_token)] = Field(
        default=None, description="The bot's token, from @BotFather."
    )
    telegram_api: Annotated[str, BeforeValidator(checks.telegram_api)] = Field(
        default=TELEGRAM_API, description="Base URL of the Bot API server; http or https."
    )
    telegram_files: Annotated[Path | None, BeforeValidator(checks.folder)] = Field(
        default=None,
        description="Folder in which a local Bot API server (--local) keeps files, as this machine sees it; enables "
        "files above 20 MB.",
    )
    admin_ids: Annotated[tuple[int, ...], BeforeValidator(checks.admin_ids)] = Field(
        default=(), description="Telegram user ids of the bot's owners, separated by commas or spaces."
    )
    admin_chat_id: Annotated[int | None, AfterValidator(checks.chat_id)] = Field(
        default=None,
        description="Chat that receives access requests and alerts for admins.",
    )
    data_dir: Annotated[Path, BeforeValidator(checks.folder)] = Field(
        default_factory=default_data_dir, description="Folder of the database and files."
    )
    default_model: Annotated[str, BeforeValidator(checks.model_reference)] = Field(
        default=DEFAULT_MODEL, description="Model of chats that have not chosen one, as provider/model."
    )
    fallbacks: Annotated[tuple[str, ...], BeforeValidator(checks.model_references)] = Field(
        default=(),
        description="Models to ask, in this order, if the model of a chat does not answer; separated by commas.",
    )
    language: Annotated[str, BeforeValidator(checks.language)] = Field(
        default=DEFAULT_LANGUAGE, description="Fallback for people whose language the bot does not support."
    )
    system_prompt: str | None = Field(default=None, description="System prompt of every conversation.")
    disable_plugins: Annotated[tuple[str, ...], BeforeValidator(checks.names)] = Field(
        default=(), description="Ids of plugins that are not loaded, separated by commas."
    )
    refresh_cron: Annotated[str, BeforeValidator(checks.stripped)] = Field(
        default="0 4 * * *",
        description="Schedule of the refresh of model lists: five cron fields, or off. Also read from REFRESH_CRON.",
    )
    time_zone: Annotated[str, BeforeValidator(checks.time_zone)] = Field(
        default=DEFAULT_TIME_ZONE,
        description="Time zone of schedules, days and months, such as Europe/Berlin.",
    )
    prices: Annotated[tuple[PriceSetting, ...], BeforeValidator(read_prices)] = Field(
        default=(),
        description="Prices by model, which override those of the providers' packages; in a variable, as JSON.",
    )
    personas: Annotated[tuple[PersonaSetting, ...], BeforeValidator(read_personas)] = Field(
        default=(), description="Personas that people select with /persona, by name; in a variable, as JSON."
    )
    roles: Annotated[tuple[RoleSetting, ...], BeforeValidator(read_roles)] = Field(
        default=(), description="Fallbacks of each person of a role, by role; in a variable, as JSON."
    )
    budgets: BudgetsSection = BudgetsSection()
    groups: GroupsSection = GroupsSection()
    access: AccessSection = AccessSection()
    turns: TurnsSection = TurnsSection()
    tools: ToolsSection = ToolsSection()
    files: FilesSection = FilesSection()
    s3: S3Section = S3Section()
    streaming: StreamingSection = StreamingSection()
    rendering: RenderingSection = RenderingSection()
    sending: SendingSection = SendingSection()
    models: ModelsSection = ModelsSection()
    database: DatabaseSection = DatabaseSection()
    replicas: ReplicasSection = ReplicasSection()
    retention: RetentionSection = RetentionSection()
    admin: AdminSection = AdminSection()
    backups: BackupsSection = BackupsSection()
    log: LogSection = LogSection()
    reminders: RemindersSection = RemindersSection()
    errors: ErrorsSection = ErrorsSection()
    web: WebSection = WebSection()
    tracing: TracingSection = TracingSection()
    webhook: WebhookSection = WebhookSection()

    @field_validator("webhook")
    @classmethod
    def _webhook(cls, value: WebhookSection, info: ValidationInfo) -> WebhookSection:
        """Reject what can't work together with other settings; a local Bot API server sends to any address."""
        if value.url is None:
            return value
        if info.data.get("telegram_api") == TELEGRAM_API and (reason := refused_by_telegram(value.url)):
            raise ValueError(f"url {reason}")
        web = info.data.get("web")
        if isinstance(web, WebSection) and web.port and web.port == value.port:
            raise ValueError("port must not be that of web.port: the webhook is public, and the other one is not")
        return value

    @property
    def backups_kept(self) -> int:
        """Number of backups to keep."""
        is_given = "keep" in self.backups.model_fields_set
        return self.backups.keep if is_given or self.admin.backups_kept is None else self.admin.backups_kept

    @property
    def bot_id(self) -> int | None:
        """Id of the bot, with which its token begins; None without a token. Bot API: Authorizing your bot."""
        return None if self.bot_token is None else int(self.bot_token.get_secret_value().partition(":")[0])

    @property
    def backups_folder(self) -> Path:
        """Folder of the backups."""
        return self.backups.folder or self.data_dir / "backups"
