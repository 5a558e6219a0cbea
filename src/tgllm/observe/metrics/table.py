"""Every metric of the bot; docs/reference/metrics.md is generated from this table.

Durations are in seconds. Labels hold no ids of people, chats, updates or turns.
"""

from typing import Final

from tgllm.observe.metrics.instruments import Counter, Gauge, Histogram, Instrument, Label

__all__ = [
    "ALL",
    "BACKUP_TIME",
    "BUILD",
    "COST",
    "DATABASE_SECONDS",
    "DATABASE_WAIT",
    "FAILOVERS",
    "FILES_READ",
    "FIRST_TOKEN",
    "INBOX",
    "JOBS",
    "LANES",
    "LEADER",
    "LOG_LINES",
    "LOOP_LAG",
    "OLDEST_UPDATE",
    "OUTBOX",
    "PLUGINS",
    "POLL_TIME",
    "PROVIDER_ERRORS",
    "PROVIDER_REQUESTS",
    "PROVIDER_SECONDS",
    "REPLICAS",
    "SENDING_SECONDS",
    "TELEGRAM_CALLS",
    "TELEGRAM_LIMITED",
    "TELEGRAM_SECONDS",
    "TOKENS",
    "TOOL_CALLS",
    "TOOL_SECONDS",
    "TURNS",
    "TURNS_RUNNING",
    "TURN_SECONDS",
    "UPDATES_ENDED",
    "UPDATES_RECEIVED",
    "UPDATE_SECONDS",
    "WEBHOOK_REQUESTS",
]

_KIND = Label("kind", most=30)
_PROVIDER = Label("provider", most=30)
_MODEL = Label("model")
_CODE = Label("code", most=60)
_METHOD = Label("method", most=80)
_OPERATION = Label("operation", frozenset({"read", "write"}))
_TURN_OUTCOMES = frozenset({"ok", "stopped", "interrupted", "failed"})
_WEBHOOK_OUTCOMES = frozenset(
    [
        "stored",
        "later",
        "unreadable",
        "too_large",
        "slow",
        "lost",
        "compressed",
        "path",
        "method",
        "address",
        "unauthorized",
    ]
)

_ANSWERS = (0.1, 0.25, 0.5, 1, 2.5, 5, 10, 20, 40, 80, 160, 320, 900)
"""Bounds for what a model takes: most providers' timeouts are above the ten seconds where the usual bounds end."""
_CALLS = (0.02, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60)
_SHORT = (0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10)

UPDATES_RECEIVED: Final = Counter("tgllm_updates_received_total", "Updates received and stored", [_KIND])
UPDATES_ENDED: Final = Counter(
    "tgllm_updates_ended_total",
    "Updates that were handled, by the way they ended",
    [_KIND, Label("outcome", frozenset({"done", "failed", "quarantined", "put_back"}))],
)
UPDATE_SECONDS: Final = Histogram(
    "tgllm_update_duration_seconds",
    "Time from the start of the handling of an update to its end, with the answer of the model",
    buckets=_ANSWERS,
)
OLDEST_UPDATE: Final = Gauge(
    "tgllm_oldest_waiting_update_seconds", "Age of the oldest update that waits to be handled; 0 if none waits"
)
INBOX: Final = Gauge(
    "tgllm_inbox_updates", "Updates that are not finished", [Label("state", frozenset({"queued", "running"}))]
)
LANES: Final = Gauge(
    "tgllm_lanes", "Chats and topics with updates", [Label("state", frozenset({"waiting", "running"}))]
)
OUTBOX: Final = Gauge(
    "tgllm_outbox_calls",
    "Bot API calls that are not over",
    [Label("state", frozenset({"ready", "sending", "uncertain"}))],
)
SENDING_SECONDS: Final = Histogram(
    "tgllm_outbox_sending_seconds",
    "Time for which an outgoing call counts as being sent, from the commit before it to the one after it",
    buckets=_SHORT,
)
TURNS: Final = Counter("tgllm_turns_total", "Turns that ended", [Label("outcome", _TURN_OUTCOMES)])
TURNS_RUNNING: Final = Gauge("tgllm_turns_running", "Turns in progress")
TURN_SECONDS: Final = Histogram(
    "tgllm_turn_duration_seconds", "Time from the start of a turn to the end of the answer", buckets=_ANSWERS
)
FIRST_TOKEN: Final = Histogram(
    "tgllm_first_token_seconds",
    "Time from the start of a turn to the first text of the answer, with the reading of files",
    [_PROVIDER],
    buckets=_ANSWERS,
)
PROVIDER_REQUESTS: Final = Counter(
    "tgllm_provider_requests_total",
    "Requests to models that ended",
    [_PROVIDER, _MODEL, Label("outcome", _TURN_OUTCOMES)],
)
PROVIDER_ERRORS: Final = Counter("tgllm_provider_errors_total", "Requests to models that failed", [_PROVIDER, _CODE])
FAILOVERS: Final = Counter(
    "tgllm_failovers_total",
    "Models that did not answer, so that another one was asked, by provider and error",
    [_PROVIDER, _CODE],
)
PROVIDER_SECONDS: Final = Histogram(
    "tgllm_provider_request_duration_seconds", "Duration of requests to models", [_PROVIDER], buckets=_ANSWERS
)
TOKENS: Final = Counter(
    "tgllm_tokens_total",
    "Tokens that count as usage; estimated where a provider reports none",
    [_PROVIDER, _MODEL, Label("direction", frozenset({"input", "output"}))],
)
COST: Final = Counter(
    "tgllm_cost_dollars_total", "Cost of the requests whose price is known, in US dollars", [_PROVIDER, _MODEL]
)
TOOL_CALLS: Final = Counter(
    "tgllm_tool_calls_total",
    "Calls of tools that were made for models",
    [
        Label("plugin", most=60),
        Label("tool", most=200),
        Label("outcome", frozenset({"done", "failed", "stopped"})),
    ],
)
TOOL_SECONDS: Final = Histogram(
    "tgllm_tool_call_duration_seconds", "Duration of calls of tools", [Label("plugin", most=60)], buckets=_CALLS
)
TELEGRAM_CALLS: Final = Counter(
    "tgllm_telegram_calls_total",
    "Bot API calls that ended",
    [_METHOD, Label("outcome", frozenset({"ok", "wait", "retry", "rejected", "blocked", "unknown", "fatal"}))],
)
TELEGRAM_LIMITED: Final = Counter(
    "tgllm_telegram_rate_limited_total", "Bot API calls that Telegram refused with 429 Too Many Requests", [_METHOD]
)
TELEGRAM_SECONDS: Final = Histogram(
    "tgllm_telegram_call_duration_seconds", "Duration of Bot API calls other than getUpdates", buckets=_CALLS
)
POLL_TIME: Final = Gauge(
    "tgllm_last_poll_timestamp_seconds",
    "Time of the last successful getUpdates, or good report about the webhook, since 1970; 0 before the first one",
)
WEBHOOK_REQUESTS: Final = Counter(
    "tgllm_webhook_requests_total",
    "Requests to the webhook, by the way they ended: stored, or why they were refused",
    [Label("outcome", _WEBHOOK_OUTCOMES)],
)
DATABASE_SECONDS: Final = Histogram(
    "tgllm_database_duration_seconds", "Duration of transactions", [_OPERATION], buckets=_SHORT
)
DATABASE_WAIT: Final = Histogram(
    "tgllm_database_wait_seconds", "Time that units of work wait for their transaction", [_OPERATION], buckets=_SHORT
)
STORAGE: Final = Gauge(
    "tgllm_storage_waiting",
    "1 while what is to be stored waits for the disk, by the cause, and else 0",
    [Label("cause", frozenset({"full", "read_only", "locked", "unreachable", "broken"}))],
)
LOOP_LAG: Final = Histogram(
    "tgllm_event_loop_lag_seconds", "Time that the event loop takes to run a call from another thread", buckets=_SHORT
)
FILES_READ: Final = Counter(
    "tgllm_files_read_total", "Files that were read for a model", [Label("outcome", frozenset({"ok", "failed"}))]
)
JOBS: Final = Counter(
    "tgllm_jobs_total",
    "Scheduled jobs that ended",
    [Label("name", most=20), Label("outcome", frozenset({"ok", "failed"}))],
)
BACKUP_TIME: Final = Gauge(
    "tgllm_last_backup_timestamp_seconds", "Time of the latest backup of the database, since 1970; 0 if there is none"
)
LOG_LINES: Final = Counter(
    "tgllm_log_lines_total",
    "Lines of the log from the level warning up",
    [Label("level", frozenset({"warning", "error", "critical"}))],
)
BUILD: Final = Gauge("tgllm_build_info", "Always 1; the labels hold versions", [Label("version"), Label("python")])
PLUGINS: Final = Gauge(
    "tgllm_plugin_info",
    "1 for each active plugin, 0 for the others",
    [Label("plugin", most=60), Label("version", most=60)],
)

LEADER: Final = Gauge(
    "tgllm_leader",
    "1: this replica leads, and sends to Telegram; 0: another one does. Nothing with a SQLite database",
    [Label("replica", most=60)],
)
REPLICAS: Final = Gauge("tgllm_replicas", "Replicas of the bot that give signs of life; 0 with a SQLite database")

ALL: Final[tuple[Instrument, ...]] = tuple(
    value for value in globals().copy().values() if isinstance(value, Counter | Gauge | Histogram)
)
"""All metrics, in this order."""
