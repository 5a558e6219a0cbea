"""The settings of the Dipseek plugin."""

from pydantic import BaseModel, ConfigDict, Field, SecretStr

__all__ = ["Settings"]


class Settings(BaseModel):
    """What ``[plugins.dipseek]`` may hold. An unknown key is an error, so that a typing mistake is told at start."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    api_key: SecretStr | None = None
    """Also read from ``DEEPSEEK_API_KEY``. None means that the plugin is not configured, which is no error."""
    base_url: str = Field(default="https://api.deepseek.com", pattern=r"^https?://\S+$")
    """Where the API is; a version at its end is allowed (DeepSeek API: your first API call)."""
    timeout_seconds: float = Field(default=120.0, gt=0, allow_inf_nan=False)
    """How long to wait for the API to say anything, in seconds; any byte, also a keep-alive, starts the wait again."""
    proxy: SecretStr | None = None
    """The URL of a proxy; None takes ``HTTPS_PROXY`` and its like. Secret, since it may hold a password."""
