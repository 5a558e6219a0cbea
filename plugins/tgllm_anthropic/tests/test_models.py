"""The list of models, its pages, and what the package knows beside it."""

import tomllib
from datetime import date
from importlib.resources import files
from typing import Any

import pytest

from tgllm.api import BadResponse, Price
from tgllm.testing.fake_providers import FakeAnthropic, FakeError
from tgllm_anthropic.models import EFFORTS, PDF, Families, with_write_prices
from tgllm_anthropic.provider import AnthropicProvider


def read(name: str) -> dict[str, Any]:
    return tomllib.loads(files("tgllm_anthropic").joinpath(name).read_text(encoding="utf-8"))


async def test_all_pages_are_read(fake: FakeAnthropic, provider: AnthropicProvider) -> None:
    fake.max_page_size = 2

    models = await provider.list_models()

    assert [model.id for model in models] == list(fake.models)
    asked = [dict(request.query) for request in fake.requests]
    assert [query.get("after_id") for query in asked] == [None, "claude-sonnet-5-5", "claude-sonnet-4-6"]
    assert {query["limit"] for query in asked} == {"1000"}


async def test_a_model_has_its_title_limits_files_and_price(provider: AnthropicProvider) -> None:
    models = {model.id: model for model in await provider.list_models()}

    sonnet, haiku = models["claude-sonnet-5-5"], models["claude-haiku-4-5-20251001"]
    assert (sonnet.title, sonnet.context_window, sonnet.max_output_tokens) == ("Claude Sonnet 5.5", 1_000_000, 128_000)
    assert {"image/png", PDF} <= sonnet.mime_types
    assert sonnet.reasoning
    assert sonnet.price is not None
    price = sonnet.price
    assert (price.input, price.output, price.cached, price.cache_write) == (2, 10, 0.1, 2.5)
    assert haiku.price is not None, "the date in a name does not matter"
    assert haiku.price.input == 1


async def test_retired_models_are_left_out(fake: FakeAnthropic, provider: AnthropicProvider) -> None:
    fake.models["claude-opus-5-5"]["lifecycle"] = "retired"
    fake.models["claude-haiku-5-5"]["lifecycle"] = "deprecated"

    names = {model.id for model in await provider.list_models()}

    assert names == {*fake.models} - {"claude-opus-5-5"}


async def test_a_gateway_lists_ids_only(fake: FakeAnthropic, provider: AnthropicProvider) -> None:
    fake.models = {name: {"id": name} for name in ("claude-opus-5-5", "qwen3")}

    claude, other = await provider.list_models()

    assert (claude.context_window, claude.reasoning, PDF in claude.mime_types) == (1_000_000, True, True)
    assert (other.context_window, other.price, other.mime_types) == (None, None, frozenset())


async def test_the_list_takes_precedence_over_the_family(fake: FakeAnthropic, provider: AnthropicProvider) -> None:
    can = fake.models["claude-opus-5-5"]["capabilities"]
    can["image_input"]["supported"] = can["thinking"]["supported"] = False
    for kind in can["thinking"]["types"].values():
        kind["supported"] = False
    fake.models["claude-opus-5-5"]["max_input_tokens"] = 5000

    model, *_ = await provider.list_models()

    assert (model.context_window, model.mime_types, model.reasoning) == (5000, {PDF}, False)


@pytest.mark.parametrize(
    "page",
    [
        {"data": [{"id": "a"}], "has_more": True, "last_id": None},
        {"data": [{"id": "a"}], "has_more": True, "last_id": "a"},
        {"data": "none"},
        {"data": None},
        [],
    ],
)
async def test_a_list_without_an_end_is_an_error(fake: FakeAnthropic, provider: AnthropicProvider, page: Any) -> None:
    fake.fault("/models", FakeError(200, page), times=None)

    with pytest.raises(BadResponse):
        await provider.list_models()


def test_prices_and_families_have_their_date() -> None:
    assert date.fromisoformat(read("prices.toml")["as_of"]) >= date(2026, 11, 29)
    assert "as of 2026-11-29" in files("tgllm_anthropic").joinpath("families.toml").read_text(encoding="utf-8")


@pytest.mark.parametrize("model", sorted(read("prices.toml")["models"]))
def test_every_model_with_a_price_has_a_family_of_its_own(model: str) -> None:
    family = Families().of(model)

    assert family.window in {200_000, 1_000_000}
    assert family.efforts in ({*EFFORTS}, set())
    assert family.temperature == model.endswith(("4-5", "4-6"))


@pytest.mark.parametrize(("cache", "written"), [("5m", 2.5), ("1h", 4.0), ("off", None)])
def test_writing_to_the_cache_costs_by_how_long_it_is_kept(cache: str, written: float | None) -> None:
    prices = with_write_prices({"sonnet": Price(2, 10), "own": Price(2, 10, cache_write=3)}, cache)
    assert (prices["sonnet"].cache_write, prices["own"].cache_write) == (written, 3)
