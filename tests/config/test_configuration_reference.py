"""The page about settings says what the model of the settings says, and its examples work."""

import re

import annotated_types
import pytest
from pydantic.fields import FieldInfo

from config_support import Operator
from docs_support import read_page
from tgllm.config.sources.keys import FIELDS, SPECIAL_VARIABLES, variable

PAGE = read_page("reference/configuration.md")

WORDS = {
    annotated_types.Ge: ("at least", "ge"),
    annotated_types.Gt: ("more than", "gt"),
    annotated_types.Le: ("at most", "le"),
    annotated_types.Lt: ("less than", "lt"),
}


def allowed(field: FieldInfo) -> str:
    bounds = ((*WORDS[type(bound)], bound) for bound in field.metadata if type(bound) in WORDS)
    return ", ".join(f"{words} {getattr(bound, name)}" for words, name, bound in bounds)


def default(field: FieldInfo) -> str:
    if field.default_factory is not None:
        return "the system's data folder"
    if field.default in (None, ()):
        return "none"
    return f"`{str(field.default).lower() if isinstance(field.default, bool) else field.default}`"


def row(key: str) -> str:
    field = FIELDS[key]
    return f"| `{key}` | `{variable(key)}` | {default(field)} | {allowed(field)} | {field.description} |"


def example(language: str) -> str:
    (found,) = re.findall(rf"```{language}\n(.*?)```", PAGE, re.DOTALL)
    return str(found)


def test_every_setting_stands_there_as_it_is() -> None:
    rows = [line for line in PAGE.splitlines() if re.match(r"\| `[a-z_.]+` \| `TGLLM_", line)]

    assert rows == [row(key) for key in FIELDS]


def test_variables_of_the_program_stand_there() -> None:
    assert all(f"| `{name}` |" in PAGE for name in SPECIAL_VARIABLES)


@pytest.mark.parametrize("place", ["toml", "sh"])
def test_the_examples_say_the_same(operator: Operator, place: str) -> None:
    if place == "toml":
        operator.writes_toml(example("toml"))
    else:
        operator.writes_dotenv(example("sh"))
    loaded = operator.loads()

    assert loaded.config.admin_ids == (123456789,)
    assert loaded.config.default_model == "mistral/mistral-small-latest"
    assert loaded.config.turns.idle_timeout == 60.0
    assert loaded.config.bot_token is not None
    assert loaded.plugins.for_plugin("mistral", {"api_key": "MISTRAL_API_KEY"}) == {"api_key": "..."}
