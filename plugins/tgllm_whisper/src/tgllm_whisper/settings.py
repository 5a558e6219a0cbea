"""Settings of the Whisper plugin."""

from pathlib import Path
from typing import Literal

from pydantic import BaseModel, ConfigDict, Field

__all__ = ["Settings"]


class Settings(BaseModel):
    """Settings in ``[plugins.whisper]``. An unknown key is an error, so that typos are reported at startup."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    model: str = Field(default="base", min_length=1)
    """Name of a model, which is downloaded for the first recording, or a folder with one."""
    models: Path | None = None
    """Folder of downloaded models; None means the folder ``models`` in the plugin's data folder."""
    language: str | None = Field(default=None, pattern=r"^[a-z]{2,3}$")
    """Two-letter code of the language of all recordings; None: found by the model for each recording."""
    compute_type: Literal["int8", "int8_float32", "float32"] = "int8"
    """Numbers with which the model computes; the larger ones need more memory and time."""
    beam_size: int = Field(default=5, ge=1, le=20)
    """Alternatives that are followed; 1 is faster and less accurate."""
    threads: int | None = Field(default=None, ge=1, le=512)
    """Threads that compute; None means one for each CPU that this process may use, but for one."""
    max_minutes: float = Field(default=180.0, gt=0, allow_inf_nan=False)
    """Minutes of a recording that are transcribed; the rest is left out."""
    work_seconds: float = Field(default=540.0, gt=0, allow_inf_nan=False)
    """Seconds of work after which a transcript ends with what there is; less than the bot's transcribe_timeout."""
    idle_seconds: float = Field(default=600.0, gt=0, allow_inf_nan=False)
    """Seconds without a recording after which the model is unloaded."""
    load_seconds: float = Field(default=120.0, gt=0, allow_inf_nan=False)
    """Timeout of loading the model, without its download."""
    download_seconds: float = Field(default=3600.0, gt=0, allow_inf_nan=False)
    """Timeout of downloading the model."""
    check_memory: bool = True
    """Whether a model that needs more memory than is free is refused instead of loaded."""
