"""When the lists of models are refreshed."""

import pytest

from config_support import Operator


def test_daily_by_default(operator: Operator) -> None:
    assert operator.loads().config.refresh_cron == "0 4 * * *"


def test_the_name_without_our_prefix_is_known_too(operator: Operator) -> None:
    operator.writes_toml("refresh_cron = '1 1 * * *'")
    operator.environ["REFRESH_CRON"] = " 2 2 * * * "
    loaded = operator.loads()

    assert loaded.config.refresh_cron == "2 2 * * *"
    assert str(loaded.sources["refresh_cron"]) == "environment variable REFRESH_CRON"


def test_it_is_read_from_a_dotenv(operator: Operator) -> None:
    operator.writes_dotenv("REFRESH_CRON='3 3 * * *'")

    assert operator.loads().config.refresh_cron == "3 3 * * *"


@pytest.mark.parametrize("first", ["REFRESH_CRON", "TGLLM_REFRESH_CRON"])
def test_the_name_with_our_prefix_is_stronger(operator: Operator, first: str) -> None:
    operator.environ[first] = ""
    operator.environ["TGLLM_REFRESH_CRON"] = "4 4 * * *"
    operator.environ["REFRESH_CRON"] = "2 2 * * *"

    assert operator.loads().config.refresh_cron == "4 4 * * *"


@pytest.mark.parametrize("name", ["Europe/Berlin", "UTC", " Asia/Tokyo "])
def test_a_time_zone_is_known_by_its_name(operator: Operator, name: str) -> None:
    operator.environ["TGLLM_TIME_ZONE"] = name

    assert operator.loads().config.time_zone == name.strip()


@pytest.mark.parametrize("name", ["Mars/Olympus", "../etc/passwd", "Europe", "+03:00"])
def test_an_unknown_time_zone_is_told(operator: Operator, name: str) -> None:
    operator.environ["TGLLM_TIME_ZONE"] = name

    assert operator.is_told() == (
        "environment variable TGLLM_TIME_ZONE: must be a time zone such as Europe/Berlin or UTC"
    )
