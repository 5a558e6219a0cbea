"""Settings of the OpenAI plugin."""

import re
from typing import Annotated, Literal, Self

from pydantic import (
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    JsonValue,
    SecretStr,
    field_validator,
    model_validator,
)

from tgllm_openai.presets import load_presets, preset_name, unknown_preset

__all__ = ["Common", "Price", "Service", "Settings"]

_NAME = re.compile(r"[a-z][a-z0-9]*(_[a-z0-9]+)*")


def _several(value: object) -> object:
    """Read a list from a text, as a variable of the environment has it."""
    return [part for part in re.split(r"[\s,]+", value) if part] if isinstance(value, str) else value


_Names = Annotated[tuple[str, ...], BeforeValidator(_several)]


class Price(BaseModel):
    """Price of a model, in US dollars per million tokens."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    input: float = Field(ge=0, allow_inf_nan=False)
    output: float = Field(ge=0, allow_inf_nan=False)
    cached: float | None = Field(default=None, ge=0, allow_inf_nan=False)
    """For input tokens from the service's cache; None: same as other input tokens."""
    cache_write: float | None = Field(default=None, ge=0, allow_inf_nan=False)
    """For input tokens written to the service's cache; None: same as other input tokens."""
    as_of: str = ""
    """The day on which it was valid."""


class Common(BaseModel):
    """Settings of one service. An unknown key is an error, so that typos are reported at startup."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    api_key: SecretStr | None = None
    """Key of the service; None: the service's usual variable, such as ``GROQ_API_KEY``."""
    base_url: str = Field(default="", pattern=r"^(https?://\S+)?$")
    """Address of the API, usually with ``/v1`` at its end; empty: that of the preset."""
    title: str = ""
    """Name for people; empty: that of the preset."""
    headers: dict[str, SecretStr] = {}
    """Further headers of every request."""
    models: _Names = ()
    """Patterns of the models to offer, such as ``llama-*``, and with ``!`` in front of those not to offer; empty: all.

    A name without a pattern is offered even if the service does not list it.
    """
    prices: dict[str, Price] = {}
    """Prices by model id; they override those of the service and of the package."""
    context_window: int | None = Field(default=None, ge=256)
    """Maximum tokens of a request, for models of which the service tells none or a larger one."""
    images: bool | None = None
    """Whether models see pictures; None: as the service says, or else by the preset and the model's name."""
    tools: bool | None = None
    """Whether models are offered tools; None: as the service says, or else by the preset."""
    timeout_seconds: float | None = Field(default=None, gt=0, allow_inf_nan=False)
    """Idle timeout; any byte of a response resets it. None: 120 s, and 600 s for servers that load models."""
    proxy: SecretStr | None = None
    """URL of a proxy; None uses ``HTTPS_PROXY`` and similar. Secret, because it may contain a password."""
    effort: (
        Literal[
            "reasoning_effort",
            "none_or_high",
            "reasoning",
            "reasoning_or_effort",
            "thinking",
            "thinking_and_effort",
            "enable_thinking",
            "chat_template",
            "chat_template_args",
        ]
        | None
    ) = None
    """How the reasoning effort is sent; None: as the preset says."""
    limit_field: Literal["max_tokens", "max_completion_tokens"] | None = None
    """Field for the maximum of output tokens; None: as the preset says."""
    send_user: bool = True
    """Whether a hash of the person is sent to services that take one."""
    send_stream_options: bool | None = None
    """Whether usage is asked for by ``stream_options``, which some servers refuse; None: as the preset says."""
    body: dict[str, JsonValue] = {}
    """Further fields of every request for an answer."""


class Service(Common):
    """Settings in ``[plugins.openai.services.NAME]``; the name is the provider's id."""

    preset: str = ""
    """Name of a known service; empty: that with the service's own name, if there is one."""

    @field_validator("preset")
    @classmethod
    def _known(cls, value: str) -> str:
        name = preset_name(value)
        if name and name not in load_presets():
            raise ValueError(unknown_preset(name))
        return name


class Settings(Common):
    """Settings in ``[plugins.openai]``: those of the provider ``openai``, and further services."""

    services: dict[str, Service] = {}
    """Services by provider id."""
    use: _Names = ()
    """Names of presets to use with nothing but a key, such as ``["groq", "openrouter"]``."""
    common_keys: dict[str, SecretStr] = {}
    """Keys by the services' usual variables, which are read from the environment."""

    @field_validator("services")
    @classmethod
    def _named(cls, value: dict[str, Service]) -> dict[str, Service]:
        for name in value:
            if not _NAME.fullmatch(name):
                raise ValueError(
                    f"{name} can't be the name of a service: it is the first part of the names of its models, "
                    "made of small letters, digits and single _, such as my_server"
                )
            if name == "openai":
                raise ValueError("the service openai has its settings in [plugins.openai] itself, not in services")
        return value

    @field_validator("use")
    @classmethod
    def _known(cls, value: tuple[str, ...]) -> tuple[str, ...]:
        names = tuple(dict.fromkeys(map(preset_name, value)))
        for name in names:
            if name not in load_presets():
                raise ValueError(unknown_preset(name))
        return names

    @model_validator(mode="after")
    def _complete(self) -> Self:
        for name, service in self.services.items():
            if not service.base_url and not service.preset and preset_name(name) not in load_presets():
                raise ValueError(
                    f"services.{name} has neither preset nor base_url: set preset to the name of a known service, or "
                    "base_url to the address of its API"
                )
        return self
