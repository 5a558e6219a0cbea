"""Names of all settings: dotted keys (``turns.idle_timeout``) and variables (``TGLLM_TURNS__IDLE_TIMEOUT``)."""

import difflib
from collections.abc import Iterable, Iterator
from types import MappingProxyType

from pydantic import BaseModel
from pydantic.fields import FieldInfo

from tgllm.config.model import Config

__all__ = [
    "FIELDS",
    "IN_FILES",
    "PLUGIN_PREFIX",
    "PREFIX",
    "SECRETS",
    "SECTIONS",
    "SPECIAL_VARIABLES",
    "nearest",
    "variable",
]

PREFIX = "TGLLM_"
PLUGIN_PREFIX = "TGLLM_PLUGINS__"
SPECIAL_VARIABLES = frozenset({"TGLLM_ALLOW_REAL_REQUESTS", "TGLLM_CONFIG", "TGLLM_DEBUG"})
"""Variables of the program that are not settings of the bot."""


def _section(field: FieldInfo) -> type[BaseModel] | None:
    kind = field.annotation
    return kind if isinstance(kind, type) and issubclass(kind, BaseModel) else None


def _walk(model: type[BaseModel], prefix: str = "") -> Iterator[tuple[str, FieldInfo]]:
    for name, field in model.model_fields.items():
        section = _section(field)
        if section is None:
            yield prefix + name, field
        else:
            yield from _walk(section, f"{prefix}{name}.")


FIELDS = MappingProxyType(dict(_walk(Config)))
"""Every setting by its dotted key."""

SECTIONS = frozenset(name for name, field in Config.model_fields.items() if _section(field)) | {"plugins"}
"""The tables of the config file."""

SECRETS = frozenset(key for key, field in FIELDS.items() if "SecretStr" in str(field.annotation))
"""Keys whose values are never shown."""


IN_FILES = SECRETS | {"system_prompt", "telegram_api"}
"""Keys whose values may be in files that ``<KEY>_FILE`` names: secrets, an address with a password, a long text."""


def variable(key: str) -> str:
    """Return the environment variable of a dotted key."""
    return PREFIX + key.replace(".", "__").upper()


def nearest(name: str, known: Iterable[str]) -> str | None:
    """Return the known name closest to a mistyped one, or None if none is close."""
    by_lower = {candidate.lower(): candidate for candidate in known}
    found = difflib.get_close_matches(name.lower(), by_lower, n=1, cutoff=0.6)
    return by_lower[found[0]] if found else None
