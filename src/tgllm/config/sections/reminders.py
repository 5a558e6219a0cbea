"""Settings of reminders and scheduled prompts."""

from pydantic import Field

from tgllm.config.sections.base import Section

__all__ = ["RemindersSection"]


class RemindersSection(Section):
    """Limits on the reminders and scheduled prompts that people set with ``/remind``."""

    per_person: int = Field(default=50, ge=0, le=10_000, description="Maximum reminders of a person; 0 turns them off.")
    prompts_per_person: int = Field(
        default=10,
        ge=0,
        le=1_000,
        description="Maximum scheduled prompts of a person, which ask a model; 0 turns them off.",
    )
    days_ahead: int = Field(default=400, ge=1, le=36_500, description="How far ahead the time of one may be, in days.")
    late_hours: float = Field(
        default=24.0,
        ge=0,
        le=8_760,
        description="Hours after its time, such as after a downtime, in which a prompt is still asked; of a reminder"
        " that repeats, an older time is left out.",
    )
