"""The settings of the Mistral plugin."""

from pydantic import BaseModel, ConfigDict, Field, SecretStr

__all__ = ["Settings"]


class Settings(BaseModel):
    """What ``[plugins.mistral]`` may hold. An unknown key is an error, so that a typing mistake is told at start."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    api_key: SecretStr | None = None
    """Also read from ``MISTRAL_API_KEY``. None means that the plugin is not configured, which is no error."""
    base_url: str = Field(default="https://api.mistral.ai", pattern=r"^https?://\S+$")
    """Where the API is, without a version or a path (Mistral API: endpoints)."""
    timeout_seconds: float = Field(default=120.0, gt=0, allow_inf_nan=False)
    """How long to wait for the API to say anything, in seconds; any byte starts the wait again."""
    proxy: SecretStr | None = None
    """The URL of a proxy; None takes ``HTTPS_PROXY`` and its like. Secret, since it may hold a password."""
    safe_prompt: bool = False
    """Whether Mistral puts its safety prompt before every conversation (Mistral API: guardrailing)."""
    random_seed: int | None = Field(default=None, ge=0)
    """Makes answers to the same request alike (Mistral API: chat completion)."""
