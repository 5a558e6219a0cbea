"""Settings of the MCP plugin."""

import re
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Literal, Self

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, SecretStr, field_validator, model_validator

__all__ = ["MissingVariable", "Server", "Settings", "filled"]

_NAME = re.compile(r"[a-z][a-z0-9]*(_[a-z0-9]+)*")
_PREFIX = re.compile(r"([A-Za-z_][A-Za-z0-9_-]{0,31})?")
_VARIABLE = re.compile(r"\$\{([A-Za-z_][A-Za-z0-9_]*)\}")


class MissingVariable(Exception):
    """A setting names an environment variable that is not set."""


def _several(value: object) -> object:
    """Read a list from a text, as a variable of the environment has it."""
    return [part for part in re.split(r"[\s,]+", value) if part] if isinstance(value, str) else value


_Patterns = Annotated[tuple[str, ...], BeforeValidator(_several)]


class Server(BaseModel):
    """Settings in ``[plugins.mcp.servers.NAME]``. An unknown key is an error, so that typos are reported at startup."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    command: str | None = Field(default=None, min_length=1)
    """Program that speaks MCP on its standard input and output; started without a shell."""
    args: tuple[str, ...] = ()
    """Arguments of the program."""
    env: dict[str, SecretStr] = {}
    """Variables of the program, beside ``PATH``, ``HOME`` and a few more; ``${NAME}`` is a variable of the bot's."""
    cwd: Path | None = None
    """Working folder of the program; None: that of the bot."""
    url: str | None = Field(default=None, pattern=r"^https?://[^\s/]+\S*$")
    """Address of a server with streamable HTTP."""
    headers: dict[str, SecretStr] = {}
    """Headers of every request; ``${NAME}`` is a variable of the bot's environment."""
    oauth: bool = False
    """Whether an admin signs in at the server, by ``/mcp login NAME``."""
    oauth_redirect: str = Field(default="http://127.0.0.1:33418/callback", pattern=r"^https?://\S+$")
    """Address that the sign-in page leads to at the end; nothing needs to listen there."""
    enabled: bool = True
    """Whether the server is used."""
    include: _Patterns = ("*",)
    """Patterns of the tools to offer, by the server's own names."""
    exclude: _Patterns = ()
    """Patterns of the tools not to offer."""
    prefix: str | None = None
    """What the names of the tools begin with; None: the server's name and ``_``."""
    read: _Patterns = ()
    """Patterns of the tools that change nothing."""
    write: _Patterns = ()
    """Patterns of the tools that change something, but need no approval of each call."""
    danger: Literal["read", "write", "dangerous"] = "dangerous"
    """What a call of any other tool can do."""
    trust_hints: bool = False
    """Whether the server's own statement about a tool counts where no pattern does."""
    access: Literal["owner", "admin", "user", "guest"] = "user"
    """The lowest role that may use the tools."""
    timeout: float = Field(default=60.0, gt=0, le=600, allow_inf_nan=False)
    """Seconds for a call."""
    connect_timeout: float = Field(default=20.0, gt=0, le=300, allow_inf_nan=False)
    """Seconds for a connection and the list of tools."""

    @field_validator("prefix")
    @classmethod
    def _usable(cls, value: str | None) -> str | None:
        if value is not None and not _PREFIX.fullmatch(value):
            raise ValueError("the prefix is at most 32 letters, digits, _ and -, with a letter or _ first, or empty")
        return value

    @model_validator(mode="after")
    def _one_way(self) -> Self:
        if (self.command is None) == (self.url is None):
            which = "both command and url" if self.command else "neither command nor url"
            raise ValueError(f"the server has {which}: set command for a program, or url for a server on the network")
        foreign = ("headers", "oauth", "oauth_redirect") if self.command else ("args", "env", "cwd")
        if given := sorted(set(foreign) & self.model_fields_set):
            belongs = "url" if self.command else "command"
            raise ValueError(f"{given[0]} belongs to servers with {belongs}")
        if self.command is not None and not self.command.strip():
            raise ValueError("the command is empty")
        return self

    @property
    def place(self) -> str:
        """Where the server is, without anything secret: its program, or its host."""
        if self.command is not None:
            return Path(self.command).name
        return re.sub(r"^(https?://)(?:[^/@]*@)?([^/?#]*).*$", r"\1\2", self.url or "")


class Settings(BaseModel):
    """Settings in ``[plugins.mcp]``. There is no server unless one is set."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    servers: dict[str, Server] = {}
    """Servers by name."""

    @field_validator("servers")
    @classmethod
    def _named(cls, value: dict[str, Server]) -> dict[str, Server]:
        for name in value:
            if not _NAME.fullmatch(name) or len(name) > 32:
                raise ValueError(
                    f"{name} can't be the name of a server: it is made of at most 32 small letters, digits and "
                    "single _, such as my_server"
                )
        return value

    @property
    def used(self) -> Mapping[str, Server]:
        """The servers that are not switched off."""
        return {name: server for name, server in self.servers.items() if server.enabled}


def filled(values: Mapping[str, SecretStr], environment: Mapping[str, str]) -> dict[str, str]:
    """Return the values with ``${NAME}`` replaced by variables.

    Raises:
        MissingVariable: a variable is not set; the message names it.
    """

    def value_of(match: re.Match[str]) -> str:
        value = environment.get(match[1])
        if not value:
            raise MissingVariable(f"the environment variable {match[1]} is not set")
        return value

    return {name: _VARIABLE.sub(value_of, secret.get_secret_value()) for name, secret in values.items()}
