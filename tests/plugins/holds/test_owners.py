"""Whose code a frame runs."""

import sys
from types import FrameType
from typing import Any

import pytest

from tgllm.plugins.builtin.found import BUILTIN
from tgllm.plugins.discovery import FoundPlugin
from tgllm.plugins.holds.owners import CORE, Owners, place_of


def found(plugin_id: str, value: str) -> FoundPlugin:
    return FoundPlugin(plugin_id, f"tgllm-{plugin_id}", "1.0", value)


OWNERS = Owners(
    [
        *BUILTIN,
        found("weather", "tgllm_weather.plugin"),
        found("one", "company.one.plugin:plugin"),
        found("two", "company.two.plugin"),
        found("broken", ""),
    ]
)


def frame_in(*modules: str) -> FrameType:
    """A frame of a function of the last module, which those before it have called."""
    call: Any = sys._getframe
    for module in reversed(modules):
        values = {"__name__": module, "call": call}
        source = "def work(): return call() if call.__name__ == 'work' else call(0)"
        exec(compile(source, f"/site/{module.replace('.', '/')}.py", "exec"), values)
        call = values["work"]
    frame: FrameType = call()
    return frame


@pytest.mark.parametrize(
    ("modules", "plugin_id"),
    [
        (["tgllm.bot", "tgllm_weather.plugin"], "weather"),
        (["tgllm.bot", "tgllm_weather.maps.tiles"], "weather"),
        (["tgllm.bot", "tgllm_weather.plugin", "json.decoder"], "weather"),
        (["tgllm.bot", "tgllm_weather.plugin", "tgllm.providers.sse"], "weather"),
        (["tgllm.bot", "company.one.client"], "one"),
        (["tgllm.bot", "company.two"], "two"),
        (["tgllm.bot", "tgllm.plugins.builtin.echo"], "echo"),
        (["tgllm.bot", "tgllm.plugins.builtin"], CORE),
        (["tgllm.bot", "tgllm_weather_of_others"], CORE),
        (["tgllm.bot", "json"], CORE),
    ],
)
def test_the_innermost_plugin_on_the_stack(modules: list[str], plugin_id: str) -> None:
    place = place_of(frame_in(*modules), OWNERS)
    assert place.plugin_id == plugin_id
    assert place.stack[-1].endswith("work")


def test_the_place_is_that_of_the_plugin_and_not_of_a_library() -> None:
    place = place_of(frame_in("tgllm_weather.plugin", "json.decoder"), OWNERS)
    assert place.at.startswith("tgllm_weather/plugin.py:")
    assert place.stack[-1].startswith("/site/json/decoder.py:")


def test_nothing_is_known_without_a_frame() -> None:
    assert place_of(None, OWNERS).plugin_id == CORE
