"""Settings of the Anthropic plugin."""

from typing import Literal

from pydantic import BaseModel, ConfigDict, Field, SecretStr

__all__ = ["TAKES_TEMPERATURE", "Settings"]

TAKES_TEMPERATURE = "2023-06-01"
"""The last version of the API with a temperature."""


class Settings(BaseModel):
    """Settings in ``[plugins.anthropic]``. An unknown key is an error, so that typos are reported at startup."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    api_key: SecretStr | None = None
    """Also read from ``ANTHROPIC_API_KEY``. None means that the plugin is not configured, which is not an error."""
    base_url: str = Field(default="https://api.anthropic.com", pattern=r"^https?://\S+$")
    """Base URL of the API, without a version or path."""
    timeout_seconds: float = Field(default=120.0, gt=0, allow_inf_nan=False)
    """Idle timeout in seconds; any byte of a response resets it."""
    proxy: SecretStr | None = None
    """URL of a proxy; None uses ``HTTPS_PROXY`` and similar. Secret, because it may contain a password."""
    api_version: str = Field(default=TAKES_TEMPERATURE, pattern=r"^\d{4}-\d\d-\d\d$")
    """Header ``anthropic-version`` (Anthropic API: versions). Later versions refuse a temperature for every model."""
    betas: tuple[str, ...] = ()
    """Header ``anthropic-beta``: names of features that are not generally available."""
    cache: Literal["off", "5m", "1h"] = "5m"
    """How long the service keeps a conversation for the next question (Anthropic API: prompt caching)."""
    max_output_tokens: int = Field(default=32_000, ge=1)
    """Limit of answers without one of their own, reasoning included; the API requires one."""
