"""What requests cost."""

import pytest

from tgllm.api import ModelRef, Price, Usage
from tgllm.config.sections.prices import PriceSetting
from tgllm.db.database import Database
from tgllm.db.tables import models
from tgllm.db.tables.models import NewModel
from tgllm.services.models.pricing import Prices, Rates, cost, to_micros

SMALL = ModelRef("mistral", "small-2603")
RATES = Rates(input=150_000, output=600_000, cached=15_000)


@pytest.mark.parametrize(
    ("usage", "micros"),
    [
        (Usage(1_000_000, 1_000_000), 750_000),
        (Usage(1_000_000, 0, cached_tokens=1_000_000), 15_000),
        (Usage(1_000_000, 0, cached_tokens=400_000), 96_000),
        (Usage(10, 10, cached_tokens=50), 7),  # 10 x 0.015 + 10 x 0.6 = 6.15
        (Usage(1, 0), 1),
        (Usage(0, 0), 0),
        (Usage(10, None), None),
        (Usage(None, 10), None),
        (Usage(), None),
    ],
)
def test_cost_in_millionths_rounded_up(usage: Usage, micros: int | None) -> None:
    assert cost(RATES, usage) == micros


@pytest.mark.parametrize(
    ("usage", "micros"),
    [
        (Usage(1_000_000, 0, cache_write_tokens=1_000_000), 125),
        (Usage(1_000_000, 0, cached_tokens=400_000, cache_write_tokens=400_000), 20 + 4 + 50),
        (Usage(1_000_000, 0, cached_tokens=900_000, cache_write_tokens=400_000), 9 + 13),
        (Usage(1_000_000, 0), 100),
    ],
)
def test_written_tokens_have_a_price_of_their_own(usage: Usage, micros: int) -> None:
    assert cost(Rates(100, 0, 10, cache_write=125), usage) == micros
    without = cost(Rates(100, 0, 10), usage)
    assert without == cost(Rates(100, 0, 10, cache_write=100), usage)


def test_cached_tokens_cost_as_much_as_others_where_no_price_is_known() -> None:
    assert cost(Rates(100, 0), Usage(1_000_000, 0, cached_tokens=500_000)) == 100


def test_prices_in_dollars_are_exact() -> None:
    assert to_micros(Price(0.15, 0.6, 0.015, "2026-11-01")) == Rates(150_000, 600_000, 15_000, "2026-11-01")


@pytest.fixture
async def known(database: Database) -> Database:
    """A database with a model whose price its provider knows, and one whose price nobody knows."""
    found = [
        NewModel(
            provider="mistral",
            model="small-2603",
            title="Small",
            aliases=["small-latest"],
            input_price=150_000,
            output_price=600_000,
        ),
        NewModel(provider="mistral", model="dear", title="Dear"),
    ]
    await database.write(lambda conn: models.upsert(conn, found, 0))
    return database


async def rates_of(database: Database, prices: Prices, ref: ModelRef) -> Rates | None:
    return await database.read(lambda conn: prices.rates(conn, ref))


def setting(model: str) -> PriceSetting:
    return PriceSetting(model=model, input=1, output=2)


@pytest.mark.parametrize("name", ["small-2603", "small-latest"])
async def test_the_providers_price_by_id_or_alias(known: Database, name: str) -> None:
    assert await rates_of(known, Prices(), ModelRef("mistral", name)) == Rates(150_000, 600_000)


@pytest.mark.parametrize("name", ["mistral/small-2603", "mistral/small-latest", "lechat/small-2603"])
async def test_the_operators_price_goes_first(known: Database, name: str) -> None:
    def canonical(ref: ModelRef) -> ModelRef:
        return ModelRef("mistral", ref.model) if ref.provider == "lechat" else ref

    prices = Prices([setting(name)], canonical)
    assert await rates_of(known, prices, SMALL) == Rates(1_000_000, 2_000_000)


async def test_a_model_that_is_not_listed_may_have_a_price(known: Database) -> None:
    assert await rates_of(known, Prices([setting("mistral/new")]), ModelRef("mistral", "new")) is not None


@pytest.mark.parametrize("name", ["dear", "nowhere"])
async def test_an_unknown_price_is_not_free(known: Database, name: str) -> None:
    ref = ModelRef("mistral", name)

    assert await rates_of(known, Prices([setting("mistral/other")]), ref) is None
    assert await known.read(lambda conn: Prices().cost(conn, ref, Usage(1, 1))) is None


async def test_the_cost_of_a_request(known: Database) -> None:
    assert await known.read(lambda conn: Prices().cost(conn, SMALL, Usage(2_000_000, 1_000_000))) == 900_000
