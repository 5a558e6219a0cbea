"""Settings of the Local plugin."""

from pathlib import Path

from pydantic import BaseModel, ConfigDict, Field

__all__ = ["Settings"]


class Settings(BaseModel):
    """Settings in ``[plugins.local]``. An unknown key is an error, so that typos are reported at startup."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    models: Path | None = None
    """A GGUF file, or a folder with GGUF files; None means the folder ``models`` in the plugin's data folder."""
    context_tokens: int = Field(default=4096, ge=256, le=2**20)
    """Context window of one conversation, in tokens; never more than the model was trained with."""
    parallel: int = Field(default=2, ge=1, le=16)
    """Answers that one model writes at the same time; each needs memory for its own context."""
    threads: int | None = Field(default=None, ge=1, le=512)
    """Threads that compute; None means one for each CPU that this process may use, but for one."""
    loaded_models: int = Field(default=1, ge=1, le=16)
    """Models in memory at the same time; the one that was idle for longest makes room."""
    idle_seconds: float = Field(default=600.0, gt=0, allow_inf_nan=False)
    """Seconds without a question after which a model is unloaded."""
    load_seconds: float = Field(default=300.0, gt=0, allow_inf_nan=False)
    """Timeout of loading a model, in seconds."""
    timeout_seconds: float = Field(default=120.0, gt=0, allow_inf_nan=False)
    """Idle timeout of an answer in seconds; llama.cpp sends keep-alives while it reads a long prompt."""
    check_memory: bool = True
    """Whether a model that needs more memory than is free is refused instead of loaded."""
