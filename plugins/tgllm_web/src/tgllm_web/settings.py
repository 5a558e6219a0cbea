"""Settings of the web plugin."""

from typing import Literal

from pydantic import BaseModel, ConfigDict, Field, SecretStr, field_validator

from tgllm_web.allowed import Allowed

__all__ = ["Engine", "Settings", "UnknownUrls"]

Engine = Literal["searxng", "brave", "tavily", "duckduckgo"]
UnknownUrls = Literal["ask", "open", "refuse"]
"""What happens to a URL that neither a person nor a search result nor a page has named."""


class Settings(BaseModel):
    """Settings in ``[plugins.web]``. An unknown key is an error, so that typos are reported at startup."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    search: Engine | None = None
    """The service that searches; None: there is no tool for searching."""
    searxng_url: str | None = Field(default=None, pattern=r"^https?://\S+$")
    """Address of an instance of SearXNG; it may be on a private network."""
    brave_api_key: SecretStr | None = None
    """Also read from ``BRAVE_API_KEY``."""
    brave_url: str = Field(default="https://api.search.brave.com/res/v1", pattern=r"^https?://\S+$")
    """Base URL of Brave's API."""
    tavily_api_key: SecretStr | None = None
    """Also read from ``TAVILY_API_KEY``."""
    tavily_url: str = Field(default="https://api.tavily.com", pattern=r"^https?://\S+$")
    """Base URL of Tavily's API."""
    results: int = Field(default=5, ge=1, le=20)
    """Results of a search if the model does not ask for another number."""
    search_seconds: float = Field(default=15.0, gt=0, le=120, allow_inf_nan=False)
    """Time limit of a search."""
    pages: bool = True
    """Whether there is a tool for reading pages."""
    page_seconds: float = Field(default=20.0, gt=0, le=120, allow_inf_nan=False)
    """Time limit of fetching a page, redirects included."""
    page_bytes: int = Field(default=1_000_000, ge=10_000, le=5_000_000)
    """Bytes of a page that are read, after decompression; of a larger one the rest is left out."""
    part_characters: int = Field(default=12_000, ge=1_000, le=100_000)
    """Characters of a page that a model reads at once; a longer page has several parts."""
    extract_seconds: float = Field(default=15.0, gt=0, le=120, allow_inf_nan=False)
    """Time limit of extracting the text of a page."""
    extract_mb: int = Field(default=512, ge=128, le=4096)
    """Megabytes of memory of the process that extracts the text."""
    allow: tuple[str, ...] = ()
    """Hosts and networks on a private network that may be read: ``wiki.lan``, ``wiki.lan:8080``, ``10.1.0.0/16``."""
    unknown_urls: UnknownUrls = "ask"
    """What happens to a URL that is neither in a person's message nor in a search result nor a link of a page."""
    approve: bool = False
    """Whether each page needs an approval, as a dangerous tool does."""

    @field_validator("allow")
    @classmethod
    def _check_allow(cls, entries: tuple[str, ...]) -> tuple[str, ...]:
        Allowed.of(entries)
        return entries
