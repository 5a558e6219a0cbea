"""Known services, from ``presets.toml``."""

import difflib
import functools
import ipaddress
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, field
from importlib.resources import files
from typing import Any, Literal, cast
from urllib.parse import urlsplit

from tgllm.api.types import JsonObject

__all__ = ["EFFORTS", "Preset", "Unit", "custom", "effort_fields", "load_presets", "preset_name", "unknown_preset"]

Unit = Literal["", "per_token", "per_million", "per_million_in_ten_thousandths"]

EFFORTS = (
    "reasoning_effort",
    "none_or_high",
    "reasoning",
    "reasoning_or_effort",
    "thinking",
    "thinking_and_effort",
    "enable_thinking",
    "chat_template",
    "chat_template_args",
)
"""Ways to send the reasoning effort, each a table of ``presets.toml``."""


@dataclass(frozen=True, slots=True)
class Preset:
    """What is known of a service; ``presets.toml`` explains the fields."""

    id: str
    title: str
    base_url: str = ""
    path: str = "/v1"
    """Path of an address of the operator's own without one, where there is no ``base_url``."""
    key: str = ""
    needs_key: bool = True
    header: str = "Authorization"
    """Header of the key."""
    scheme: str = "Bearer"
    """Word before the key in ``Authorization``."""
    local: bool = False
    asks: Literal["", "llama_cpp", "ollama", "lm_studio", "any"] = ""
    effort: str = "reasoning_effort"
    limit: str = "max_tokens"
    user: str = "user"
    usage: bool = True
    think_tags: bool = True
    images: bool = False
    tools: bool = True
    replays: Literal["", "reasoning_content", "reasoning_details"] = ""
    """Field with the reasoning that is sent back with calls of tools."""
    parallel: bool = False
    """Whether several calls at once have to be asked for."""
    lists: bool = True
    """Whether the service has a list of usable models."""
    models_path: str = "/models"
    models_query: Mapping[str, str] = field(default_factory=dict[str, str])
    id_prefix: str = ""
    """Beginning of the ids in the list that is not part of a model's name."""
    leave_out: tuple[str, ...] = ()
    """Patterns of models that the list contains and chat completions don't offer."""
    prices: Unit = ""
    table: str = ""
    """Name of the package's tables of capabilities and prices, for services that list neither."""
    docs: str = ""
    source: str = "the documentation and catalogues"
    as_of: str = ""
    checked: bool = True
    note: str = ""


@functools.cache
def load_presets() -> Mapping[str, Preset]:
    """Return the presets by id, in the order of the file."""
    tables: Mapping[str, Mapping[str, Any]] = _file()["presets"]
    return {name: _preset(name, table) for name, table in tables.items()}


def effort_fields(style: str) -> Mapping[str, JsonObject]:
    """Return the fields of a request for each reasoning effort."""
    return _file()["efforts"][style]


def preset_name(text: str) -> str:
    """Return a name as it is in the file: ``LM-Studio`` is ``lm_studio``."""
    name = text.strip().lower().replace("-", "_").replace(" ", "_").replace(".", "_")
    return {"lmstudio": "lm_studio", "llamacpp": "llama_cpp", "hf": "huggingface", "kimi": "moonshot"}.get(name, name)


def unknown_preset(name: str) -> str:
    """Return why there is no such preset. The name itself is left out: the bot hides values in such messages."""
    ended: Mapping[str, str] = _file().get("ended", {})
    if name in ended:
        return f"this preset can't be used: {ended[name]}"
    near = difflib.get_close_matches(name, load_presets(), n=1)
    hint = f"did you mean {near[0]}?" if near else f"there are: {', '.join(load_presets())}."
    return f"there is no such preset; {hint} For any other service leave it out, and set base_url"


def custom(name: str, base_url: str) -> Preset:
    """Return the preset of a service that has none: no key is needed, and a server nearby is asked about its models."""
    is_local = _is_near(urlsplit(base_url).hostname or "")
    return Preset(name, name, needs_key=False, local=is_local, asks="any" if is_local else "")


def _is_near(host: str) -> bool:
    """Return whether a host is this machine or in a private network."""
    try:
        return ipaddress.ip_address(host).is_private
    except ValueError:
        return "." not in host or host.endswith((".local", ".lan", ".internal", ".home.arpa", ".localhost"))


@functools.cache
def _file() -> dict[str, Any]:
    return tomllib.loads(files("tgllm_openai").joinpath("presets.toml").read_text(encoding="utf-8"))


def _preset(name: str, table: Mapping[str, Any]) -> Preset:
    values: dict[str, Any] = {
        key: tuple(cast("list[str]", value)) if isinstance(value, list) else value for key, value in table.items()
    }
    return Preset(name, **values)
