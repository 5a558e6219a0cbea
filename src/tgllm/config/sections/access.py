"""The settings of how people ask to be let in."""

from pydantic import Field

from tgllm.config.sections.base import Section
from tgllm.config.sections.retention import MOST_DAYS

__all__ = ["AccessSection"]


class AccessSection(Section):
    """How the bot deals with people who have not been let in."""

    answer_interval: float = Field(
        default=3600.0, ge=0, description="Seconds until somebody who has not been let in is answered again."
    )
    answers_per_hour: int = Field(
        default=600, ge=0, description="Answers in an hour to people who have not been let in, all together."
    )
    cards_per_hour: int = Field(
        default=30, ge=0, description="Requests for access in an hour that admins are shown one by one."
    )
    most_pending: int = Field(default=1000, ge=1, description="Requests for access that wait at most.")
    request_days: float = Field(
        default=30.0, gt=0, le=MOST_DAYS, description="Days after which an undecided request is forgotten."
    )
    ask_again_days: float = Field(default=7.0, ge=0, description="Days after which a declined person may ask again.")
