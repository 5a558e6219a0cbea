"""The lists of models: asked for side by side, stored together, never wiped by a failure."""

import asyncio
from collections.abc import AsyncGenerator, Sequence
from dataclasses import dataclass, field
from typing import Any

import pytest

from plugin_support import LoadHost, Offer
from tgllm.api import (
    AuthFailed,
    ChatRequest,
    Finished,
    ModelInfo,
    ModelRef,
    NotConfigured,
    PluginContext,
    Price,
    Provider,
    ProviderSpec,
    StreamEvent,
)
from tgllm.db.database import Database
from tgllm.db.tables import models, outbox, users
from tgllm.db.tables.models import Model
from tgllm.i18n import Catalogue
from tgllm.services.messaging.admins import AdminNotifier
from tgllm.services.models.diff import FieldChange, ModelChange, ModelDiff, ProviderReport
from tgllm.services.models.registry import ProviderRegistry
from tgllm.services.models.service import ModelService, ModelSettings
from tgllm.testing.clock import ManualClock

ANN = 7


@dataclass
class Listing(Provider):
    """A provider with a list that a test can change."""

    answer: Any = field(default_factory=list)
    """The models; an exception is raised instead, and a signal is waited for before the model a is listed."""
    asked: int = 0

    async def list_models(self) -> Sequence[ModelInfo]:
        self.asked += 1
        if isinstance(self.answer, BaseException):
            raise self.answer
        if isinstance(self.answer, asyncio.Event):
            await self.answer.wait()
            return [ModelInfo("a")]
        return self.answer

    async def generate(self, request: ChatRequest) -> AsyncGenerator[StreamEvent, None]:
        yield Finished()


@dataclass
class Lists:
    """Two providers, and the service that keeps their lists."""

    database: Database
    service: ModelService
    first: Listing
    second: Listing

    async def stored(self, *, retired: bool = False) -> list[Model]:
        return await self.database.read(lambda conn: models.list_all(conn, retired=retired))

    async def names(self) -> list[str]:
        return [str(model.ref) for model in await self.stored()]

    async def told(self) -> list[str]:
        rows = await self.database.read(lambda conn: [outbox.get(conn, number) for number in range(1, 9)])
        return [row.payload["text"] for row in rows if row is not None]


@pytest.fixture
async def lists(database: Database, load_host: LoadHost, offer: Offer, clock: ManualClock) -> Lists:
    first, second = Listing([ModelInfo("a"), ModelInfo("b")]), Listing([ModelInfo("x")])
    return await lists_of(database, load_host, offer, clock, first=first, second=second)


async def lists_of(
    database: Database,
    load_host: LoadHost,
    offer: Offer,
    clock: ManualClock,
    *,
    list_seconds: float = 60.0,
    **providers: Listing,
) -> Lists:
    def spec(name: str) -> ProviderSpec:
        return ProviderSpec(name, name, lambda _ctx: providers[name])

    await database.write(lambda conn: users.ensure_owners(conn, [ANN], 0))
    host = await load_host(offer(*map(spec, providers)))
    service = ModelService(
        database,
        ProviderRegistry(host),
        AdminNotifier(database, clock, None),
        clock,
        Catalogue(strict=True),
        ModelSettings("first/a", list_seconds=list_seconds),
    )
    return Lists(database, service, providers["first"], providers.get("second", Listing()))


def refs(*names: str) -> list[ModelRef]:
    return [ModelRef.parse(name) for name in names]


async def test_what_providers_list_is_stored(lists: Lists) -> None:
    lists.first.answer = [
        ModelInfo(
            "a",
            " The A ",
            128_000,
            8_000,
            frozenset({"image/*", "application/pdf"}),
            reasoning=True,
            aliases=("a-latest", "a"),
            price=Price(0.15, 0.6, 0.015, "2026-11-01"),
        )
    ]
    report = await lists.service.pull_and_sync_models()
    model = (await lists.stored())[0]

    assert [(entry.provider, entry.state, entry.listed, entry.first) for entry in report.providers] == [
        ("first", "ok", 1, True),
        ("second", "ok", 1, True),
    ]
    assert list(report.providers[0].diff.new) == refs("first/a")
    assert (model.title, model.context_window, model.max_output_tokens) == ("The A", 128_000, 8_000)
    assert (model.mime_types, model.reasoning, model.aliases) == (("application/pdf", "image/*"), True, ("a-latest",))
    assert (model.input_price, model.output_price, model.cached_price) == (150_000, 600_000, 15_000)
    assert model.price_as_of == "2026-11-01"


async def test_the_difference_to_the_stored_lists(lists: Lists) -> None:
    await lists.service.pull_and_sync_models()
    lists.first.answer = [ModelInfo("b", "Better", 1000), ModelInfo("c")]
    report = await lists.service.pull_and_sync_models()

    diff = report.providers[0].diff
    assert list(diff.new) == refs("first/c")
    assert list(diff.retired) == refs("first/a")
    assert list(diff.changed) == [
        ModelChange(
            ModelRef("first", "b"), (FieldChange("title", "b", "Better"), FieldChange("context_window", None, 1000))
        )
    ]
    assert report.providers[1].diff == ModelDiff()
    assert await lists.names() == ["first/b", "first/c", "second/x"]


async def test_nothing_is_different_the_second_time(lists: Lists) -> None:
    await lists.service.pull_and_sync_models()
    report = await lists.service.pull_and_sync_models(announce=True)

    assert not any(entry.diff for entry in report.providers)
    assert await lists.told() == []


async def test_half_a_letter_makes_no_difference_each_time(lists: Lists) -> None:
    price = Price(1, 1, as_of="2026\ud83d")
    lists.first.answer = [ModelInfo("a", "A\ud83d", aliases=("b\ud83d",), price=price)]
    await lists.service.pull_and_sync_models()
    report = await lists.service.pull_and_sync_models()

    assert not any(entry.diff for entry in report.providers)
    (model, _) = await lists.stored()
    assert (model.title, model.aliases, model.price_as_of) == ("A\ufffd", ("b\ufffd",), "2026\ufffd")


async def test_a_model_that_comes_back_is_new(lists: Lists) -> None:
    for answer in (["a", "b"], ["a"], ["a", "b"]):
        lists.first.answer = [ModelInfo(name) for name in answer]
        report = await lists.service.pull_and_sync_models()

    assert list(report.providers[0].diff.new) == refs("first/b")
    assert (await lists.stored())[1].retired_at is None


@pytest.mark.parametrize(
    ("answer", "reason"),
    [
        (AuthFailed("the key was\nrefused"), "the key was refused"),
        (ValueError("boom"), "list_models raised ValueError: boom"),
        (SystemExit("bye"), "list_models raised SystemExit: bye"),
        ([], "it lists no models at all; the old list is kept"),
        (None, "list_models returned a NoneType instead of a sequence of ModelInfo"),
        ("ab", "list_models returned a str instead of a sequence of ModelInfo"),
        (["a"], "list_models returned a str among the models"),
        ([ModelInfo("")], "list_models returned a model with the id ''"),
        ([ModelInfo("c", price=Price(-1, 1))], "the model c with a field of the wrong type: -1 is no price"),
        ([ModelInfo("c", price=Price(float("nan"), 1))], "nan is no price"),
        ([ModelInfo("c\ud83d")], "with a field of the wrong type"),
        ([ModelInfo("c", price=Price(1, 1, as_of=20261122))], "the model c with a field of the wrong type"),  # type: ignore[arg-type]  a plugin may
        ([ModelInfo("c", aliases=(7,))], "the model c with a field of the wrong type"),  # type: ignore[arg-type]  a plugin may
        ([ModelInfo("c", context_window="many")], "the model c with a field of the wrong type"),  # type: ignore[arg-type]  a plugin may
        ([ModelInfo("c", aliases="de")], "aliases is one text instead of several"),  # type: ignore[arg-type]  a plugin may
        (AuthFailed("refused \ud83d"), "refused \ufffd"),
        ([ModelInfo("c", mime_types="image/png")], "mime_types is one text instead of several"),  # type: ignore[arg-type]  a plugin may
    ],
)
async def test_a_provider_that_fails_keeps_its_list(lists: Lists, answer: Any, reason: str) -> None:
    await lists.service.pull_and_sync_models()
    lists.first.answer, lists.second.answer = answer, [ModelInfo("x"), ModelInfo("y")]
    report = await lists.service.pull_and_sync_models()

    assert [entry.provider for entry in report.failed] == ["first"]
    assert reason in report.failed[0].reason
    assert await lists.names() == ["first/a", "first/b", "second/x", "second/y"]


async def test_a_number_of_tokens_is_a_whole_one(lists: Lists) -> None:
    lists.first.answer = [ModelInfo("a", context_window=1000.5, max_output_tokens=0.5)]  # type: ignore[arg-type]  a plugin may
    await lists.service.pull_and_sync_models()
    (model, _) = await lists.stored()

    assert (model.context_window, model.max_output_tokens) == (1000, None)


async def test_a_provider_that_is_too_slow_holds_up_nobody(
    database: Database, load_host: LoadHost, offer: Offer, clock: ManualClock
) -> None:
    first, second = Listing([ModelInfo("a"), ModelInfo("b")]), Listing([ModelInfo("x")])
    # Long enough for the other one.
    lists = await lists_of(database, load_host, offer, clock, list_seconds=1.0, first=first, second=second)
    await lists.service.pull_and_sync_models()
    lists.first.answer = asyncio.Event()
    report = await lists.service.pull_and_sync_models()

    assert report.failed == [ProviderReport("first", "failed", "list_models did not end within 1 s")]
    assert await lists.names() == ["first/a", "first/b", "second/x"]


async def test_providers_are_asked_side_by_side(lists: Lists) -> None:
    """The first one answers when the second has; one after the other, it would run out of time."""
    lists.first.answer = gate = asyncio.Event()

    def progress(provider: str, result: ProviderReport | int) -> None:
        if (provider, result) == ("second", 1):
            gate.set()

    report = await lists.service.pull_and_sync_models(progress=progress)

    assert [entry.state for entry in report.providers] == ["ok", "ok"]


async def test_a_provider_without_a_key_is_no_failure(
    database: Database, load_host: LoadHost, offer: Offer, clock: ManualClock
) -> None:
    def create(_ctx: PluginContext) -> Provider:
        raise NotConfigured("set FIRST_API_KEY")

    host = await load_host(offer(ProviderSpec("first", "First", create)))
    service = ModelService(
        database,
        ProviderRegistry(host),
        AdminNotifier(database, clock, None),
        clock,
        Catalogue(),
        ModelSettings("first/a", 1),
    )
    report = await service.pull_and_sync_models()

    assert report.providers == [ProviderReport("first", "not configured", "set FIRST_API_KEY")]
    assert report.failed == []


async def test_an_id_that_is_listed_twice_is_one_model(lists: Lists) -> None:
    lists.first.answer = [ModelInfo("a", "One"), ModelInfo("a", "Two")]
    await lists.service.pull_and_sync_models()

    assert [model.title for model in await lists.stored()] == ["One", "x"]


class TestNews:
    async def test_admins_are_told_what_is_different(self, lists: Lists) -> None:
        await lists.service.pull_and_sync_models(announce=True)
        lists.first.answer = [ModelInfo("a"), ModelInfo("b", context_window=10), ModelInfo("c")]
        lists.second.answer = [ModelInfo("y")]
        await lists.service.pull_and_sync_models(announce=True)

        (text,) = await lists.told()
        assert text.splitlines() == [
            "The models have changed.",
            "New: first/c, second/y",
            "Changed: first/b (context window)",
            "No longer offered: second/x",
        ]

    async def test_a_first_list_is_no_news(self, lists: Lists) -> None:
        await lists.service.pull_and_sync_models(announce=True)

        assert await lists.told() == []

    async def test_many_models_are_counted(self, lists: Lists) -> None:
        await lists.service.pull_and_sync_models()
        lists.second.answer = [ModelInfo("x"), *(ModelInfo(f"m{number:02}") for number in range(20))]
        await lists.service.pull_and_sync_models(announce=True)

        (text,) = await lists.told()
        assert text.endswith("second/m14, and 5 more")

    async def test_the_default_of_the_config_is_gone(self, lists: Lists) -> None:
        await lists.service.pull_and_sync_models()
        lists.first.answer = [ModelInfo("b")]
        report = await lists.service.pull_and_sync_models(announce=True)

        assert report.lost_default == ModelRef("first", "a")
        (text,) = await lists.told()
        assert "The default model first/a is not offered any more" in text

    async def test_the_chosen_default_is_gone(self, lists: Lists) -> None:
        await lists.service.pull_and_sync_models()
        await lists.database.write(lambda conn: models.set_default(conn, ModelRef("second", "x")))
        lists.second.answer = [ModelInfo("y")]
        report = await lists.service.pull_and_sync_models(announce=True)

        assert report.lost_default == ModelRef("second", "x")
        (text,) = await lists.told()
        assert "The default model second/x is not offered any more; now first/a answers" in text
        assert await lists.database.read(models.default) is None


class TestMissingLists:
    async def test_only_providers_without_any_model_are_asked(self, lists: Lists) -> None:
        lists.second.answer = AuthFailed("no")
        await lists.service.pull_and_sync_models()
        lists.second.answer = [ModelInfo("x")]
        await lists.service.fill_missing()
        await lists.service.fill_missing()

        assert await lists.names() == ["first/a", "first/b", "second/x"]
        assert (lists.first.asked, lists.second.asked) == (1, 2)
        assert await lists.told() == []

    async def test_one_that_fails_keeps_nobody_from_the_others(self, lists: Lists) -> None:
        lists.first.answer = ValueError("broken")
        await lists.service.fill_missing()

        assert await lists.names() == ["second/x"]
