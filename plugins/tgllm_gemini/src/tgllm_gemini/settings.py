"""Settings of the Google Gemini plugin."""

from typing import Literal

from pydantic import BaseModel, ConfigDict, Field, SecretStr

__all__ = ["Settings"]


class Settings(BaseModel):
    """Settings in ``[plugins.gemini]``. An unknown key is an error, so that typos are reported at startup."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    api_key: SecretStr | None = None
    """Also read from ``GEMINI_API_KEY``. None without ``project`` means "not configured", which is not an error."""
    project: str | None = Field(default=None, pattern=r"^\S+$")
    """A Google Cloud project, which selects Vertex AI with Google's default credentials instead of the key."""
    location: str = Field(default="global", pattern=r"^[a-z0-9-]+$")
    """Region of Vertex AI (Vertex AI: locations); used only with ``project``."""
    base_url: str | None = Field(default=None, pattern=r"^https?://\S+$")
    """Base URL of the API, without a version or path; None is Google's address of the selected service."""
    api_version: Literal["v1", "v1beta", "v1beta1"] | None = None
    """None uses the SDK's default: ``v1`` with a key. Models named ``...-latest`` exist only in ``v1beta``."""
    timeout_seconds: float = Field(default=120.0, gt=0, allow_inf_nan=False)
    """Idle timeout in seconds; any byte of a response resets it."""
    proxy: SecretStr | None = None
    """URL of a proxy; None uses ``HTTPS_PROXY`` and similar. Secret, because it may contain a password."""

    @property
    def address(self) -> str:
        """The base URL of the selected service."""
        if self.base_url:
            return self.base_url
        return f"https://{'aiplatform' if self.project else 'generativelanguage'}.googleapis.com"
