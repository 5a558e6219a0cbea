"""Write ``.env.example`` from the model of the settings."""

import sys
from collections.abc import Iterator
from pathlib import Path

from pydantic.fields import FieldInfo

from tgllm.config.sources.keys import FIELDS, SECRETS, variable

TARGET = Path(__file__).resolve().parents[2] / ".env.example"
HEAD = """\
# Settings of tgllm, generated from the settings model by `make generate`. Copy this file to .env in the folder where
# the bot starts, and uncomment the lines you need; commented lines show the defaults. An environment variable of the
# same name overrides .env, and .env overrides the config file.
"""
PROGRAM = {
    "TGLLM_CONFIG": "Path of the config file (TOML), instead of the default path.",
    "TGLLM_ALLOW_REAL_REQUESTS": "0 forbids requests of providers to other machines; for tests.",
    "TGLLM_DEBUG": "1 shows tracebacks of errors.",
}
PLUGINS = {
    "GEMINI_API_KEY": "Key for the plugin tgllm-gemini.",
    "MISTRAL_API_KEY": "Key for the plugin tgllm-mistral.",
    "DEEPSEEK_API_KEY": "Key for the plugin tgllm-dipseek.",
    "ANTHROPIC_API_KEY": "Key for the plugin tgllm-anthropic.",
    "OPENAI_API_KEY": "Key for the plugin tgllm-openai; the keys of its other services have their usual names too.",
    "BRAVE_API_KEY": "Key for the plugin tgllm-web, if it searches with Brave Search.",
    "TAVILY_API_KEY": "Key for the plugin tgllm-web, if it searches with Tavily.",
    "TGLLM_PLUGINS__GEMINI__BASE_URL": "Any other setting of a plugin: TGLLM_PLUGINS__<ID>__<SETTING>.",
}


def text() -> str:
    """Return the content of the file."""
    entries = [*settings(), *((name, about, "") for name, about in (PROGRAM | PLUGINS).items())]
    return "\n".join([HEAD, *(f"# {about}\n#{name}={value}\n" for name, about, value in entries)])


def settings() -> Iterator[tuple[str, str, str]]:
    """Yield variable, meaning and default of each setting."""
    for key, field in FIELDS.items():
        yield variable(key), field.description or "", "" if key in SECRETS else default(field)


def default(field: FieldInfo) -> str:
    """Return a setting's default as text; empty if it is unset or depends on the machine."""
    value = field.default
    if field.default_factory is not None or value is None or value == ():
        return ""
    return str(value).lower() if isinstance(value, bool) else str(value)


if __name__ == "__main__":
    sys.exit(TARGET.write_text(text(), encoding="utf-8") == 0)
