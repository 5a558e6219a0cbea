"""Settings of the Dipseek plugin."""

from pydantic import BaseModel, ConfigDict, Field, SecretStr

__all__ = ["Settings"]


class Settings(BaseModel):
    """Settings in ``[plugins.dipseek]``. An unknown key is an error, so that typos are reported at startup."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    api_key: SecretStr | None = None
    """Also read from ``DEEPSEEK_API_KEY``. None means that the plugin is not configured, which is not an error."""
    base_url: str = Field(default="https://api.deepseek.com", pattern=r"^https?://\S+$")
    """Base URL of the API, with or without a version (DeepSeek API: your first API call)."""
    timeout_seconds: float = Field(default=120.0, gt=0, allow_inf_nan=False)
    """Idle timeout in seconds; any byte of a response, including a keep-alive, resets it."""
    proxy: SecretStr | None = None
    """URL of a proxy; None uses ``HTTPS_PROXY`` and similar. Secret, because it may contain a password."""
