"""The page about settings says what the model of the settings says, and its examples work."""

import re

import pytest

from config_support import Operator
from configuration_page import page, row
from docs_support import read_page
from tgllm.config.sources.keys import FIELDS, SPECIAL_VARIABLES

PAGE = read_page("reference/configuration.md")


def example(language: str) -> str:
    (found,) = re.findall(rf"```{language}\n(.*?)```", PAGE, re.DOTALL)
    return str(found)


def test_every_setting_stands_there_as_it_is() -> None:
    rows = [line for line in PAGE.splitlines() if re.match(r"\| `[a-z0-9_.]+` \| `TGLLM_", line)]

    assert rows == [row(key) for key in FIELDS], "run: make generate"


def test_the_page_is_up_to_date() -> None:
    assert page(PAGE) == PAGE, "run: make generate"


def test_a_missing_row_and_a_missing_section_are_written_anew() -> None:
    short = re.sub(r"\| `turns\.attempts`.*\n", "", PAGE)
    headless = re.sub(r"### `\[web\]`\n\n(\|.*\n)+\n", "", short)
    assert PAGE != short != headless

    assert set(page(headless).splitlines()) == set(PAGE.splitlines())


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
