"""Settings of data retention."""

from pydantic import Field

from tgllm.config.sections.base import Section

__all__ = ["MOST_DAYS", "RetentionSection"]

MOST_DAYS = 36_500
"""A hundred years, which fits the database; 0 keeps data for ever."""


class RetentionSection(Section):
    """How long the bot keeps data."""

    updates_days: float = Field(
        default=7.0,
        ge=1,
        le=MOST_DAYS,
        description="Days after which finished updates and sent messages are deleted from the database.",
    )
    cleared_days: float = Field(
        default=30.0,
        ge=0,
        le=MOST_DAYS,
        description="Days after which cleared or undone messages are deleted; 0: never.",
    )
    messages_days: float = Field(
        default=0.0, ge=0, le=MOST_DAYS, description="Days after which all questions and answers are deleted; 0: never."
    )
    audit_days: float = Field(
        default=0.0,
        ge=0,
        le=MOST_DAYS,
        description="Days after which entries of the audit trail are deleted; 0: never.",
    )
    requests_days: float = Field(
        default=400.0,
        ge=31,
        le=MOST_DAYS,
        description="Days after which the figures of single model calls are deleted; the daily totals stay.",
    )
    usage_days: float = Field(
        default=0.0,
        ge=0,
        le=MOST_DAYS,
        description="Days after which the daily totals of usage are deleted, at least two months; 0: never.",
    )
    errors_days: float = Field(
        default=90.0,
        ge=1,
        le=MOST_DAYS,
        description="Days after which a kind of unexpected error that has not occurred again is deleted.",
    )
    tool_calls_days: float = Field(
        default=90.0,
        ge=1,
        le=MOST_DAYS,
        description="Days after which calls of tools are deleted, with their arguments and results.",
    )
    plugin_messages_days: float = Field(
        default=90.0,
        ge=1,
        le=MOST_DAYS,
        description="Days after which buttons of plugins' messages no longer work, and keys may send again.",
    )
