"""The settings of how long things are kept."""

from pydantic import Field

from tgllm.config.sections.base import Section

__all__ = ["MOST_DAYS", "RetentionSection"]

MOST_DAYS = 36_500
"""A hundred years: who wants to keep something for ever writes 0, and so many days still fit the database."""


class RetentionSection(Section):
    """How long the bot keeps what it is done with."""

    updates_days: float = Field(
        default=7.0,
        ge=1,
        le=MOST_DAYS,
        description="Days after which updates and sent messages that are done with are deleted.",
    )
    cleared_days: float = Field(
        default=30.0,
        ge=0,
        le=MOST_DAYS,
        description="Days after which what was cleared or taken back in chats is deleted; 0: never.",
    )
    messages_days: float = Field(
        default=0.0, ge=0, le=MOST_DAYS, description="Days after which all questions and answers are deleted; 0: never."
    )
    audit_days: float = Field(
        default=0.0, ge=0, le=MOST_DAYS, description="Days after which the audit trail is deleted; 0: never."
    )
