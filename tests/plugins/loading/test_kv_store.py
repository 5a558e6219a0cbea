"""The key-value store of a plugin."""

from typing import Any

import pytest

from plugin_support import LoadHost
from tgllm.api import DatabaseError, KeyValueStore, PluginError
from tgllm.db.database import Database


@pytest.fixture
async def stores(load_host: LoadHost, database: Database) -> dict[str, KeyValueStore]:
    host = await load_host(database=database)
    offers = (*host.commands, *host.providers)
    return {owned.plugin_id: owned.context.store for owned in offers}


@pytest.mark.parametrize("value", [None, 0, 1.5, "текст", [1, [2]], {"a": {"b": None}}])
async def test_what_is_stored_is_read_again(stores: dict[str, KeyValueStore], value: Any) -> None:
    await stores["echo"].set("key", "before")
    await stores["echo"].set("key", value)

    assert await stores["echo"].get("key") == value


async def test_each_plugin_has_its_own(stores: dict[str, KeyValueStore]) -> None:
    await stores["echo"].set("key", 1)

    assert await stores["basics"].get("key") is None


async def test_a_deleted_value_is_gone_and_deleting_nothing_is_harmless(stores: dict[str, KeyValueStore]) -> None:
    await stores["echo"].set("key", 1)
    await stores["echo"].delete("key")
    await stores["echo"].delete("key")

    assert await stores["echo"].get("key") is None


@pytest.mark.parametrize("value", [object(), {"x": float("nan")}, "half a pair: \ud83d", "x" * 65_535, "я" * 33_000])
async def test_what_can_not_be_stored_is_refused(stores: dict[str, KeyValueStore], value: Any) -> None:
    with pytest.raises(PluginError, match="'key'"):
        await stores["echo"].set("key", value)


async def test_a_list_that_is_too_deep_is_refused(stores: dict[str, KeyValueStore]) -> None:
    deep: Any = 0
    for place in range(99):
        deep = [deep] if place % 2 else {"a": deep}
    await stores["echo"].set("key", deep)
    assert await stores["echo"].get("key") == deep

    with pytest.raises(PluginError, match="'key' is no JSON: it is nested more than 100 deep"):
        await stores["echo"].set("key", [deep])


@pytest.mark.parametrize("key", [None, 5, ["key"], "half a pair: \ud83d"])
async def test_what_is_no_key_is_refused(stores: dict[str, KeyValueStore], key: Any) -> None:
    with pytest.raises(PluginError, match="is no text that can be a key"):
        await stores["echo"].set(key, 1)


async def test_the_largest_value_fits(stores: dict[str, KeyValueStore]) -> None:
    text = "x" * (64 * 1024 - 2)
    await stores["echo"].set("key", text)

    assert await stores["echo"].get("key") == text


async def test_without_a_database_the_store_says_so(load_host: LoadHost) -> None:
    (owned,) = (await load_host()).providers

    with pytest.raises(DatabaseError, match="tgllm db init"):
        await owned.context.store.get("key")
