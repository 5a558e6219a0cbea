"""Settings of access requests."""

from pydantic import Field

from tgllm.config.sections.base import Section
from tgllm.config.sections.retention import MOST_DAYS

__all__ = ["AccessSection"]


class AccessSection(Section):
    """Limits on answers to people without access and on their requests."""

    answer_interval: float = Field(
        default=3600.0,
        ge=0,
        description="Minimum seconds between two answers of a kind to the same person without access.",
    )
    answers_per_hour: int = Field(
        default=600, ge=0, description="Maximum answers per hour to people without access, in total."
    )
    cards_per_hour: int = Field(
        default=30,
        ge=0,
        description="Maximum access requests per hour that admins see one by one; three of them within ten minutes.",
    )
    most_pending: int = Field(default=1000, ge=1, description="Maximum number of pending access requests.")
    request_days: float = Field(
        default=30.0, gt=0, le=MOST_DAYS, description="Days after which an undecided access request is deleted."
    )
    ask_again_days: float = Field(default=7.0, ge=0, description="Days after which a denied person may ask again.")
