"""The key-value store of a plugin."""

import asyncio
from typing import Any

import pytest

from plugin_support import LoadHost
from tgllm.api import ChatInfo, DatabaseError, Json, KeyValueStore, PluginError, UserInfo
from tgllm.db.database import Database
from tgllm.db.tables.plugins.values import Room
from tgllm.plugins.loading.store import PluginStore
from tgllm.testing.clock import ManualClock


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


async def test_keys_are_listed_by_prefix(stores: dict[str, KeyValueStore]) -> None:
    store = stores["echo"]
    for key in ("list:b", "list:a", "lists", "other"):
        await store.set(key, 1)
    await store.of(7).set("list:of-seven", 1)
    await stores["basics"].set("list:c", 1)

    assert await store.keys("list:") == ["list:a", "list:b"]
    assert await store.keys() == ["list:a", "list:b", "lists", "other"]
    assert await store.of(7).keys() == ["list:of-seven"]
    assert await store.of(8).keys() == []


async def test_a_person_has_values_of_their_own(stores: dict[str, KeyValueStore]) -> None:
    store, ann = stores["echo"], UserInfo(7, "Ann", "user")
    await store.set("key", "all")
    await store.of(ann).set("key", "ann's")
    await store.of(ChatInfo(-5, "group")).set("key", "the group's")

    assert [await one.get("key") for one in (store, store.of(7), store.of(-5), store.of(7).of(-5))] == [
        "all",
        "ann's",
        "the group's",
        "the group's",
    ]
    await store.of(ann).delete("key")
    assert await store.of(7).get("key") is None
    assert await store.get("key") == "all"


@pytest.mark.parametrize("owner", [0, True, "7", None, 2**60, 1.5])
def test_what_is_no_owner_is_refused(owner: Any) -> None:
    with pytest.raises(PluginError, match="no id of a person or group"):
        PluginStore("echo", None, ManualClock()).of(owner)


class TestUpdate:
    async def test_gets_the_value_and_stores_the_result(self, stores: dict[str, KeyValueStore]) -> None:
        store = stores["echo"]
        assert await store.update("n", lambda value: value or [1]) == [1]
        assert await store.update("n", lambda value: [*_list(value), 2]) == [1, 2]
        assert await store.get("n") == [1, 2]

    async def test_none_deletes(self, stores: dict[str, KeyValueStore]) -> None:
        await stores["echo"].set("n", 1)
        assert await stores["echo"].update("n", lambda _: None) is None
        assert await stores["echo"].update("n", lambda _: None) is None
        assert await stores["echo"].keys() == []

    async def test_many_at_once_lose_nothing_and_call_each_function_once(
        self, stores: dict[str, KeyValueStore]
    ) -> None:
        calls: list[Json] = []

        def count(value: Json) -> Json:
            calls.append(value)
            return value + 1 if isinstance(value, int) else 1

        await asyncio.gather(*(stores["echo"].update("n", count) for _ in range(50)))
        assert await stores["echo"].get("n") == 50
        assert len(calls) == 50

    async def test_a_change_of_another_process_meanwhile_is_not_lost(
        self, stores: dict[str, KeyValueStore], database: Database
    ) -> None:
        async with await Database.open(database.path) as elsewhere:
            other, store = PluginStore("echo", elsewhere, ManualClock()), stores["echo"]
            calls: list[Json] = []

            async def one(mine: PluginStore | KeyValueStore) -> None:
                for _ in range(20):
                    await mine.update("n", lambda value: (calls.append(value), (value or 0) + 1)[1])  # type: ignore[operator]  ints only

            await asyncio.gather(one(other), one(store))
            assert await store.get("n") == 40

    async def test_what_the_function_raises_is_raised_and_nothing_stored(
        self, stores: dict[str, KeyValueStore]
    ) -> None:
        store = stores["echo"]
        await store.set("n", {"a": 1})

        def fail(value: Json) -> Json:
            assert isinstance(value, dict)
            value["a"] = 2
            raise KeyError("mine")

        with pytest.raises(KeyError, match="mine"):
            await store.update("n", fail)
        assert await store.get("n") == {"a": 1}
        assert await store.update("n", lambda _: 3) == 3

    async def test_an_asynchronous_function_is_refused(self, stores: dict[str, KeyValueStore]) -> None:
        async def late(value: Json) -> Json:
            return value

        with pytest.raises(PluginError, match="plain function"):
            await stores["echo"].update("n", late)  # type: ignore[arg-type]  what is tested

    @pytest.mark.parametrize("value", [object(), "x" * 65_535])
    async def test_a_result_that_can_not_be_stored_is_refused(
        self, stores: dict[str, KeyValueStore], value: Any
    ) -> None:
        with pytest.raises(PluginError, match="'n'"):
            await stores["echo"].update("n", lambda _: value)
        assert await stores["echo"].get("n") is None


class TestRoom:
    @pytest.fixture(autouse=True)
    def small(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr("tgllm.plugins.loading.store.PLUGIN_ROOM", Room(4, 2**20))
        monkeypatch.setattr("tgllm.plugins.loading.store.OWNER_ROOM", Room(2, 2**20))

    async def test_a_person_has_a_part_of_the_room(self, stores: dict[str, KeyValueStore]) -> None:
        mine = stores["echo"].of(7)
        await mine.set("a", 1)
        await mine.set("b", 1)
        for refused in (mine.set("c", 1), mine.update("c", lambda _: 1)):
            with pytest.raises(PluginError, match="the values of the plugin echo for 7 are more than 2: delete values"):
                await refused
        assert await mine.keys() == ["a", "b"]
        await mine.set("a", 2)
        await mine.delete("b")
        await mine.set("c", 1)
        await stores["echo"].of(8).set("a", 1)
        await stores["echo"].set("a", 1)
        with pytest.raises(PluginError, match="the values of the plugin echo are more than 4: delete"):
            await stores["echo"].set("b", 1)
        await stores["basics"].set("b", 1)

    async def test_a_full_store_may_shrink(
        self, stores: dict[str, KeyValueStore], monkeypatch: pytest.MonkeyPatch
    ) -> None:
        await stores["echo"].set("a", "long")
        monkeypatch.setattr("tgllm.plugins.loading.store.PLUGIN_ROOM", Room(0, 1))
        await stores["echo"].set("a", "less")
        with pytest.raises(PluginError, match="more than"):
            await stores["echo"].set("a", "longer")
        assert await stores["echo"].get("a") == "less"
        assert await stores["echo"].update("a", lambda _: "") == ""
        await stores["echo"].delete("a")

    async def test_a_wrong_count_refuses_nothing(self, stores: dict[str, KeyValueStore], database: Database) -> None:
        await stores["echo"].set("a", 1)
        await database.write(lambda conn: conn.execute("UPDATE plugin_room SET keys = 99"))
        await stores["echo"].set("b", 1)


def _list(value: Json) -> list[Json]:
    assert isinstance(value, list)
    return value
