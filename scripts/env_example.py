"""Write ``.env.example`` from the model of the settings, so that the two can't disagree."""

import sys
from collections.abc import Iterator
from pathlib import Path

from pydantic.fields import FieldInfo

from tgllm.config.sources.keys import FIELDS, SECRETS, variable

TARGET = Path(__file__).resolve().parent.parent / ".env.example"
HEAD = """\
# Settings of tgllm, made from its settings model by `make generate`. Copy this file to .env in the folder where the bot
# starts, and uncomment what you need; what stays commented has the value shown. An environment variable of the same
# name is stronger than .env, and .env is stronger than the config file.
"""
PROGRAM = {
    "TGLLM_CONFIG": "The config file (TOML), instead of the one in the system's usual place.",
    "TGLLM_ALLOW_REAL_REQUESTS": "0 forbids providers to reach any machine but this one; for tests.",
    "TGLLM_DEBUG": "1 shows the whole traceback of an error, not just its sentence.",
}
PLUGINS = {
    "GEMINI_API_KEY": "Key for the plugin tgllm-gemini.",
    "MISTRAL_API_KEY": "Key for the plugin tgllm-mistral.",
    "DEEPSEEK_API_KEY": "Key for the plugin tgllm-dipseek.",
    "TGLLM_PLUGINS__GEMINI__BASE_URL": "Any other setting of a plugin: TGLLM_PLUGINS__<ID>__<SETTING>.",
}


def text() -> str:
    """The whole file."""
    entries = [*settings(), *((name, about, "") for name, about in (PROGRAM | PLUGINS).items())]
    return "\n".join([HEAD, *(f"# {about}\n#{name}={value}\n" for name, about, value in entries)])


def settings() -> Iterator[tuple[str, str, str]]:
    """Variable, meaning and default of each setting."""
    for key, field in FIELDS.items():
        yield variable(key), field.description or "", "" if key in SECRETS else default(field)


def default(field: FieldInfo) -> str:
    """A setting's default as one would write it; empty where it is none or depends on the machine."""
    value = field.default
    if field.default_factory is not None or value is None or value == ():
        return ""
    return str(value).lower() if isinstance(value, bool) else str(value)


if __name__ == "__main__":
    sys.exit(TARGET.write_text(text(), encoding="utf-8") == 0)
