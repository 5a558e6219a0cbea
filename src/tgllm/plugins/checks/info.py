"""Validation of ``PluginInfo``."""

import re
from collections.abc import Mapping
from pathlib import Path
from typing import cast

import tgllm.api
from tgllm.api.context import PluginInfo
from tgllm.api.version import API_VERSION, ApiVersion
from tgllm.plugins.calls.outcome import Breach, words_of
from tgllm.plugins.checks.forms import PLUGIN_ID, VARIABLE, check_form
from tgllm.plugins.checks.values import called, check_callable, check_text
from tgllm.plugins.discovery import FoundPlugin

__all__ = ["check_info", "missing_in_api"]

_IMPORTED = re.compile(r"cannot import name '(\w+)'")
_UNEXPECTED = re.compile(r"(\w+)\.__init__\(\) got an unexpected keyword argument '(\w+)'")

_OWN_PREFIX = "TGLLM_"


def check_info(found: FoundPlugin, info: PluginInfo) -> None:
    """Check a plugin's description of itself.

    Raises:
        Breach: names the invalid field.
    """
    check_form("its id", info.id, PLUGIN_ID)
    if info.id != found.id:
        raise Breach(f"it calls itself {info.id}, but its entry point is named {found.id}: they must be the same")
    check_text("its title", info.title)
    _check_api(found, info.api)
    _check_settings(info.settings)
    _check_env(info.env)
    _check_texts(info.texts)
    if info.presets is not None:
        check_callable("its presets", info.presets)


def missing_in_api(error: BaseException) -> str:
    """Return which name of tgllm a plugin for a newer API lacks; empty if the error is another one."""
    text = words_of(error)
    if isinstance(error, ImportError):
        # A plugin may give it any value.
        module = error.name if isinstance(error.name, str) else ""
        name = _IMPORTED.search(text)
        inside = module.split(".")[0] == "tgllm"
        return "" if not inside else f"{module}.{name[1]}" if name else module
    if isinstance(error, TypeError) and (given := _UNEXPECTED.match(text)) and hasattr(tgllm.api, given[1]):
        return f"{given[1]}.{given[2]}"
    return ""


def _check_api(found: FoundPlugin, api: str) -> None:
    try:
        wanted = ApiVersion.parse(api)
    except (AttributeError, ValueError) as error:
        raise Breach(f"its API version {api!r} can't be read: write it like '1.0'") from error
    if not API_VERSION.serves(wanted):
        cure = "tgllm" if wanted > API_VERSION else found.package
        raise Breach(f"it needs API {wanted}, this tgllm has {API_VERSION}: upgrade {cure}")


def _check_settings(model: object) -> None:
    # Duck typing: importing pydantic takes longer than loading a plugin without settings.
    if model is not None and not (isinstance(model, type) and hasattr(model, "model_validate")):
        kind = f"the class {model.__name__}" if isinstance(model, type) else called(model)
        raise Breach(f"its settings are {kind} instead of a class derived from pydantic.BaseModel")


def _check_env(env: object) -> None:
    if not isinstance(env, Mapping):
        raise Breach(f"its env is {called(env)} instead of a dict of fields and variables")
    for field, name in cast("Mapping[object, object]", env).items():
        check_form(f"the variable that its env names for {field}", name, VARIABLE)
        if str(name).startswith(_OWN_PREFIX):
            raise Breach(f"its env names {name}: variables that begin with {_OWN_PREFIX} are the bot's own")


def _check_texts(folder: object) -> None:
    if folder is not None and not isinstance(folder, Path):
        raise Breach(f"its texts are {called(folder)} instead of a pathlib.Path")
