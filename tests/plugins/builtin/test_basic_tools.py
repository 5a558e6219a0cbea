"""The built-in tools, as the host hands them out."""

import pytest

from plugin_support import LoadHost
from tgllm.api import ChatInfo, JsonObject, UserInfo
from tgllm.api.errors import ToolFailed
from tgllm.api.tools import ToolUse
from tgllm.plugins.host import PluginHost

ANN = UserInfo(7, "Ann", "user", timezone="Asia/Tokyo")


async def called(host: PluginHost, name: str, arguments: JsonObject, user: UserInfo = ANN) -> object:
    owned = next(tool for tool in host.tools if tool.tool.name == name)
    use = ToolUse("1", name, arguments, user, ChatInfo(7, "private"), "t", owned.context)
    return await owned.tool.handler(use)


@pytest.fixture
async def host(load_host: LoadHost) -> PluginHost:
    return await load_host()


async def test_they_only_read_and_have_titles(host: PluginHost) -> None:
    tools = {owned.tool.name: owned.tool for owned in host.tools if owned.plugin_id == "basic_tools"}

    assert {name: tool.danger for name, tool in tools.items()} == {"calculator": "read", "clock": "read"}
    assert tools["calculator"].title == "🧮 calculating"
    assert tools["calculator"].titles == {"ru": "🧮 считаю"}


async def test_the_calculator_answers_with_the_expression(host: PluginHost) -> None:
    assert await called(host, "calculator", {"expression": " 2*3 "}) == "2*3 = 6"


async def test_a_wrong_expression_is_for_the_model_to_correct(host: PluginHost) -> None:
    with pytest.raises(ToolFailed, match="division by zero"):
        await called(host, "calculator", {"expression": "1/0"})


async def test_the_clock_is_in_the_zone_of_the_person(host: PluginHost) -> None:
    assert "(Asia/Tokyo, UTC+09:00)" in str(await called(host, "clock", {}))


@pytest.mark.parametrize("zone", [None, "No/Where"])
async def test_without_a_known_zone_of_the_person_it_is_that_of_the_bot(host: PluginHost, zone: str | None) -> None:
    assert "UTC+00:00" in str(await called(host, "clock", {}, UserInfo(7, "Ann", "user", timezone=zone)))


async def test_the_clock_takes_dates_and_another_zone(host: PluginHost) -> None:
    arguments = {"timezone": "UTC-5", "date": "2030-12-24", "until": "2031-01-01", "add": 1, "unit": "weeks"}

    text = str(await called(host, "clock", arguments))

    assert "Date: Tuesday 2030-12-24 00:00:00 (UTC-05:00)" in text
    assert "After 1 weeks: Tuesday 2030-12-31" in text
    assert "calendar days: 8;" in text


async def test_a_date_that_is_none_is_for_the_model_to_correct(host: PluginHost) -> None:
    with pytest.raises(ToolFailed, match="no date"):
        await called(host, "clock", {"date": "tomorrow"})
