"""The settings of the Mistral plugin."""

from pydantic import BaseModel, ConfigDict, Field, SecretStr

__all__ = ["Settings"]


class Settings(BaseModel):
    """What ``[plugins.mistral]`` may hold. An unknown key is an error, so that a typing mistake is told at start."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    api_key: SecretStr | None = None
    """Also read from ``MISTRAL_API_KEY``. None means that the plugin is not configured, which is no error."""
    base_url: str = Field(default="https://api.mistral.ai", pattern=r"^https?://\S+$")
    """Where the API is, without a version or a path (Mistral API: reference)."""
    timeout_seconds: float = Field(default=60.0, gt=0, allow_inf_nan=False)
    """How long to wait for the API to say anything, in seconds."""
