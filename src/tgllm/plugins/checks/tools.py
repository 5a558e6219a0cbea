"""Validation of the tools of plugins."""

import json
import re
from collections.abc import Mapping
from typing import Final, get_args

from tgllm.api.people import Role
from tgllm.api.tools import Danger, ToolSpec
from tgllm.plugins.calls.outcome import Breach
from tgllm.plugins.checks.forms import LANGUAGE, check_form
from tgllm.plugins.checks.values import called, check_callable, check_text, texts_of

__all__ = ["check_tool"]

_NAME: Final = re.compile(r"[A-Za-z_][A-Za-z0-9_-]{0,63}")
_LONGEST_DESCRIPTION = 4_096
_LONGEST_TITLE = 64
_MOST_SCHEMA = 32_768
_LONGEST_SECONDS = 600.0


def check_tool(tool: ToolSpec) -> None:
    """Check a tool against the rules of all services.

    Raises:
        Breach: names the invalid field.
    """
    name: object = tool.name
    if not isinstance(name, str) or not _NAME.fullmatch(name):  # pyright: ignore[reportUnnecessaryIsInstance]  from a plugin
        raise Breach(f"the tool name {name!r} is not 1 to 64 letters, digits, _ and -, with a letter or _ first")
    check_text(f"the description of tool {name}", tool.description, _LONGEST_DESCRIPTION)
    check_callable(f"the handler of tool {name}", tool.handler, "ToolUse")
    _check_schema(f"the schema of tool {name}", tool.schema)
    for field, value, known in (
        ("access", tool.access, get_args(Role)),
        ("danger", tool.danger, get_args(Danger)),
    ):
        if value not in known:
            raise Breach(f"the {field} of tool {name} is {value!r} instead of one of {', '.join(known)}")
    seconds: object = tool.timeout
    is_number = isinstance(seconds, int | float)  # pyright: ignore[reportUnnecessaryIsInstance]  from a plugin
    if not is_number or not 0 < seconds <= _LONGEST_SECONDS:
        raise Breach(f"the timeout of tool {name} is {seconds!r} instead of a number of seconds up to 600")
    if tool.title:
        check_text(f"the title of tool {name}", tool.title, _LONGEST_TITLE)
    for language in texts_of(f"the languages of tool {name}", frozenset(tool.titles)):
        check_form(f"the language of a title of tool {name}", language, LANGUAGE)
        check_text(f"the title of tool {name}", tool.titles[language], _LONGEST_TITLE)


def _check_schema(what: str, schema: object) -> None:
    if not isinstance(schema, Mapping):
        raise Breach(f"{what} is {called(schema)} instead of a JSON Schema")
    try:
        text = json.dumps(schema, allow_nan=False)
    except (TypeError, ValueError, RecursionError) as error:
        raise Breach(f"{what} is not JSON: {error}") from error
    if len(text) > _MOST_SCHEMA:
        raise Breach(f"{what} has {len(text)} characters of JSON, more than {_MOST_SCHEMA}")
    if json.loads(text).get("type") != "object":
        raise Breach(f'{what} does not describe an object: its "type" must be "object"')
