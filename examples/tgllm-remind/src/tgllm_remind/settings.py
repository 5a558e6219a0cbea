"""Settings of the reminders."""

from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field

__all__ = ["Settings"]


class Settings(BaseModel):
    """Settings in ``[plugins.remind]``. An unknown key is an error, so that typos are reported at startup."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    per_person: int = Field(default=50, ge=1, le=500)
    """Reminders that a person may have at a time. The bot allows 500 jobs of one person."""
    days_ahead: int = Field(default=366, ge=1, le=3660)
    """How far ahead a reminder may be, in days."""
    snooze_minutes: tuple[Annotated[int, Field(ge=1, le=527_040)], ...] = Field(
        default=(10, 60), min_length=1, max_length=4
    )
    """Minutes of the buttons that put a reminder off, in their order; at most those of 366 days."""
