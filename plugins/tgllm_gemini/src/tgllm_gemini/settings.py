"""The settings of the Google Gemini plugin."""

from typing import Literal

from pydantic import BaseModel, ConfigDict, Field, SecretStr

__all__ = ["Settings"]


class Settings(BaseModel):
    """What ``[plugins.gemini]`` may hold. An unknown key is an error, so that a typing mistake is told at start."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    api_key: SecretStr | None = None
    """Also read from ``GEMINI_API_KEY``. None without ``project`` means "not configured", which is no error."""
    project: str | None = Field(default=None, pattern=r"^\S+$")
    """A Google Cloud project: models are asked through Vertex AI, with Google's default credentials and not the key."""
    location: str = Field(default="global", pattern=r"^[a-z0-9-]+$")
    """The region of Vertex AI (Vertex AI: locations); counts with ``project`` only."""
    base_url: str | None = Field(default=None, pattern=r"^https?://\S+$")
    """Where the API is, without a version or a path; None is Google's own address of the service in use."""
    api_version: Literal["v1", "v1beta", "v1beta1"] | None = None
    """None takes the SDK's: ``v1`` with a key. Models named ``...-latest`` are found in ``v1beta`` only."""
    timeout_seconds: float = Field(default=120.0, gt=0, allow_inf_nan=False)
    """How long to wait for the API to say anything, in seconds; any byte starts the wait again."""
    proxy: SecretStr | None = None
    """The URL of a proxy; None takes ``HTTPS_PROXY`` and its like. Secret, since it may hold a password."""
