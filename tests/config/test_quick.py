"""The quick reading says what the whole one says, or leaves it to that one."""

from pathlib import Path

import pytest

from config_support import Operator
from tgllm.config.quick import quick_settings


def both_say_the_same(operator: Operator, flags: dict[str, object] | None = None) -> None:
    quick = quick_settings(flags or {}, operator.config_path, environ=operator.environ, cwd=operator.folder)
    whole = operator.loads(flags).config

    assert quick is not None
    assert (quick.data_dir, quick.default_model) == (whole.data_dir, whole.default_model)
    assert (quick.language, quick.time_zone) == (whole.language, whole.time_zone)


def test_defaults(operator: Operator) -> None:
    both_say_the_same(operator)


def test_a_config_file_of_any_content(operator: Operator) -> None:
    operator.writes_toml("data_dir = '~/bot'\ndefault_model = 'file/m'\n[turns]\nattempts = 3\n")
    both_say_the_same(operator)


def test_a_config_file_that_the_environment_names(operator: Operator) -> None:
    operator.writes_toml("data_dir = 'elsewhere'")
    operator.environ["TGLLM_CONFIG"] = str(operator.config_path)
    operator.config_path = None
    both_say_the_same(operator)


def test_the_environment_is_stronger(operator: Operator) -> None:
    operator.writes_toml("data_dir = 'a'\ndefault_model = 'file/m'")
    operator.environ |= {"TGLLM_DATA_DIR": " b ", "TGLLM_DEFAULT_MODEL": "env/m"}
    both_say_the_same(operator)


def test_a_language_and_a_time_zone(operator: Operator) -> None:
    operator.writes_toml("language = 'ru '\ntime_zone = ' Europe/Berlin'")
    both_say_the_same(operator)
    operator.environ |= {"TGLLM_LANGUAGE": "de-AT", "TGLLM_TIME_ZONE": "UTC"}
    both_say_the_same(operator)


def test_an_empty_variable_counts_as_unset(operator: Operator) -> None:
    operator.writes_toml("data_dir = 'a'\ndefault_model = 'file/m'")
    operator.environ |= {"TGLLM_DATA_DIR": "", "TGLLM_DEFAULT_MODEL": " "}
    both_say_the_same(operator)


@pytest.mark.parametrize("folder", ["flag", Path("flag")])
def test_a_flag_is_the_strongest(operator: Operator, folder: object) -> None:
    operator.environ["TGLLM_DATA_DIR"] = "b"
    both_say_the_same(operator, {"data_dir": folder})
    both_say_the_same(operator, {"data_dir": None})


@pytest.mark.parametrize(
    "text",
    [
        "prices = 1",
        "[prices.'a/b']\ninput = 1\noutput = 1",
        "data_dir = 3",
        "data_dir = ''",
        'data_dir = "a\\u0000b"',
        "data_dir = '~nobody-of-that-name/data'",
        "default_model = []",
        "language = 'no language'",
        "language = 7",
        "time_zone = 'Europe/Nowhere'",
        "time_zone = []",
        "not toml",
    ],
)
def test_what_is_unusual_is_left_to_the_whole_reading(operator: Operator, text: str) -> None:
    operator.writes_toml(text)

    assert quick_settings({}, operator.config_path, environ={}, cwd=operator.folder) is None


def test_a_missing_config_file_is_left_to_the_whole_reading(operator: Operator) -> None:
    assert quick_settings({}, operator.folder / "no.toml", environ={}, cwd=operator.folder) is None


def test_a_dotenv_is_left_to_the_whole_reading(operator: Operator) -> None:
    operator.writes_dotenv("TGLLM_DATA_DIR=c")

    assert quick_settings({}, environ={}, cwd=operator.folder) is None


def test_prices_in_a_variable_are_left_to_the_whole_reading(operator: Operator) -> None:
    assert quick_settings({}, environ={"TGLLM_PRICES": "{}"}, cwd=operator.folder) is None


@pytest.mark.parametrize("text", ["language = 'no language'", "time_zone = 'Europe/Nowhere'", "language = 7"])
def test_who_needs_no_language_and_no_time_zone_ignores_what_is_wrong_with_them(operator: Operator, text: str) -> None:
    operator.writes_toml(f"data_dir = 'a'\n{text}")

    quick = quick_settings({}, operator.config_path, environ={}, cwd=operator.folder, local=False)

    assert quick is not None
    assert quick.data_dir.name == "a"
