"""Settings of backups."""

from pathlib import Path
from typing import Annotated

from pydantic import BeforeValidator, Field

from tgllm.config import checks
from tgllm.config.sections.base import Section

__all__ = ["BackupsSection"]


class BackupsSection(Section):
    """Backups of the running bot, by schedule and by ``/admin backup``."""

    schedule: Annotated[str, BeforeValidator(checks.stripped)] = Field(
        default="off", description="Schedule of backups: five cron fields such as 30 3 * * *, or off."
    )
    keep: int = Field(
        default=7,
        ge=1,
        description="Number of backups kept in the folder; making a backup deletes older ones, but no other files.",
    )
    folder: Annotated[Path | None, BeforeValidator(checks.folder)] = Field(
        default=None,
        description="Folder of backups, best on another disk; by default backups in the data folder.",
    )
    files: bool = Field(default=True, description="Whether backups contain the files of people and plugins.")
