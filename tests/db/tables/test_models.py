"""Models are stored as last listed; at most one is the default, and it is never a retired one."""

import sqlite3

from database_support import NOW, refused
from tgllm.api.types import ModelRef
from tgllm.db.tables import models
from tgllm.db.tables.models import NewModel


def listed(*names: str) -> list[NewModel]:
    return [NewModel(provider="echo", model=name, title=name.title()) for name in names]


def names(found: list[models.Model]) -> list[str]:
    return [str(model.ref) for model in found]


def test_a_model_is_read_back_as_it_was(conn: sqlite3.Connection) -> None:
    new = NewModel(
        provider="p",
        model="org/m",
        title="M",
        aliases=["org/m-latest"],
        context_window=128_000,
        max_output_tokens=8192,
        mime_types=["image/*", "application/pdf"],
        reasoning=True,
        input_price=150_000,
        output_price=600_000,
        cached_price=75_000,
        cache_write_price=187_500,
        price_as_of="2026-11-01",
    )
    models.upsert(conn, [new], NOW)
    model = models.get(conn, ModelRef("p", "org/m"))
    assert model is not None
    assert (model.title, model.context_window, model.max_output_tokens) == ("M", 128_000, 8192)
    assert model.aliases == ("org/m-latest",)
    assert (model.mime_types, model.reasoning) == (("image/*", "application/pdf"), True)
    assert (model.input_price, model.output_price, model.cached_price) == (150_000, 600_000, 75_000)
    assert model.cache_write_price == 187_500
    assert (model.price_as_of, model.is_default, model.retired_at) == ("2026-11-01", False, None)


def test_listing_again_updates_and_keeps_the_first_sight(conn: sqlite3.Connection) -> None:
    models.upsert(conn, listed("a"), NOW)
    models.set_default(conn, ModelRef("echo", "a"))
    models.upsert(conn, [NewModel(provider="echo", model="a", title="Better")], NOW + 5)
    model = models.default(conn)
    assert model is not None
    assert (model.title, model.first_seen_at, model.last_seen_at) == ("Better", NOW, NOW + 5)


def test_what_is_not_listed_any_more_is_retired_and_comes_back_when_listed(conn: sqlite3.Connection) -> None:
    models.upsert(conn, [*listed("a", "b"), NewModel(provider="other", model="x", title="X")], NOW)
    assert models.retire_missing(conn, "echo", ["a"], NOW + 1) == [ModelRef("echo", "b")]
    assert models.retire_missing(conn, "echo", ["a"], NOW + 2) == []
    assert names(models.list_all(conn)) == ["echo/a", "other/x"]
    assert names(models.list_all(conn, "echo", retired=True)) == ["echo/a", "echo/b"]
    models.upsert(conn, listed("b"), NOW + 3)
    assert names(models.list_all(conn, "echo")) == ["echo/a", "echo/b"]


def test_there_is_one_default(conn: sqlite3.Connection) -> None:
    models.upsert(conn, listed("a", "b"), NOW)
    assert models.default(conn) is None
    assert models.set_default(conn, ModelRef("echo", "a"))
    assert models.set_default(conn, ModelRef("echo", "b"))
    assert [str(m.ref) for m in models.list_all(conn) if m.is_default] == ["echo/b"]
    with refused(conn):
        conn.execute("UPDATE models SET is_default = 1")
    assert models.set_default(conn, None)
    assert models.default(conn) is None


def test_an_unknown_or_retired_model_does_not_become_the_default(conn: sqlite3.Connection) -> None:
    models.upsert(conn, listed("a", "b"), NOW)
    models.set_default(conn, ModelRef("echo", "a"))
    models.retire_missing(conn, "echo", ["a"], NOW)
    assert not models.set_default(conn, ModelRef("echo", "b"))
    assert not models.set_default(conn, ModelRef("echo", "c"))
    model = models.default(conn)
    assert model is not None
    assert model.model == "a"


def test_a_retired_default_is_none_any_more(conn: sqlite3.Connection) -> None:
    models.upsert(conn, listed("a"), NOW)
    models.set_default(conn, ModelRef("echo", "a"))
    models.retire_missing(conn, "echo", [], NOW)
    assert models.default(conn) is None


def test_a_model_is_found_by_an_alias(conn: sqlite3.Connection) -> None:
    old = NewModel(provider="p", model="m-1", title="M", aliases=["m-latest"])
    new = NewModel(provider="p", model="m-2", title="M", aliases=["m-latest", "m"])
    models.upsert(conn, [old, new], NOW)
    models.retire_missing(conn, "p", ["m-2"], NOW)

    def found(name: str) -> str | None:
        model = models.find(conn, ModelRef("p", name))
        return None if model is None else model.model

    assert found("m") == "m-2"
    assert found("m-latest") == "m-2"
    assert found("m-1") == "m-1"
    assert found("n") is None
    assert models.find(conn, ModelRef("q", "m")) is None


def test_an_id_goes_before_an_alias(conn: sqlite3.Connection) -> None:
    models.upsert(
        conn,
        [NewModel(provider="p", model="a", title="A", aliases=["b"]), NewModel(provider="p", model="b", title="B")],
        NOW,
    )
    found = models.find(conn, ModelRef("p", "b"))
    assert found is not None
    assert found.title == "B"
