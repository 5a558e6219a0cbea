"""Settings of the Mistral plugin."""

from pydantic import BaseModel, ConfigDict, Field, SecretStr

__all__ = ["Settings"]


class Settings(BaseModel):
    """Settings in ``[plugins.mistral]``. An unknown key is an error, so that typos are reported at startup."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    api_key: SecretStr | None = None
    """Also read from ``MISTRAL_API_KEY``. None means that the plugin is not configured, which is not an error."""
    base_url: str = Field(default="https://api.mistral.ai", pattern=r"^https?://\S+$")
    """Base URL of the API, without a version or path (Mistral API: endpoints)."""
    timeout_seconds: float = Field(default=120.0, gt=0, allow_inf_nan=False)
    """Idle timeout in seconds; any byte of a response resets it."""
    proxy: SecretStr | None = None
    """URL of a proxy; None uses ``HTTPS_PROXY`` and similar. Secret, because it may contain a password."""
    safe_prompt: bool = False
    """Whether Mistral adds its safety prompt before every conversation (Mistral API: guardrailing)."""
    random_seed: int | None = Field(default=None, ge=0)
    """Seed for deterministic answers to the same request (Mistral API: chat completion)."""
