"""A plugin that ends the process while it is loaded is known at the next start, and left out after the second time."""

import fcntl
import json
import os
import sys
import threading
from collections.abc import Iterator
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

import pytest

from plugin_support import FindRecord, LoadHost
from tgllm.api import ChatInfo, UserInfo
from tgllm.db.database import Database
from tgllm.plugins import FoundPlugin
from tgllm.plugins.loading.breadcrumbs import Breadcrumbs, Death

LEFT_OUT = (
    "earlier starts have ended while deadly was loaded, so it is left out: upgrade or uninstall tgllm-deadly, "
    "or try it again with tgllm plugins retry deadly"
)
DEADLY = FoundPlugin("deadly", "tgllm-deadly", "1.0", "deadly")
PLUGIN = """
    @hookimpl
    def tgllm_plugin_info(): return PluginInfo("deadly", "Deadly", "1.0")
    @hookimpl
    def tgllm_authorize(user): return None
"""


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    folder = tmp_path / "data"
    folder.mkdir()
    return folder


def die(folder: Path, found: FoundPlugin = DEADLY, pid: int = 99) -> None:
    """Leave what a process leaves that ends while it loads a plugin."""
    (folder / f"loading.{pid}").write_text(json.dumps(asdict(Death.of(found))))


@pytest.fixture
def alive(folder: Path) -> Iterator[Path]:
    """The file of another process that is loading a plugin."""
    die(folder, pid=98)
    file = os.open(folder / "loading.98", os.O_RDWR)
    fcntl.flock(file, fcntl.LOCK_EX)
    yield folder
    os.close(file)


def test_deaths_in_a_row_are_counted(folder: Path) -> None:
    assert Breadcrumbs(folder).deaths() == {}
    for times in (1, 2, 3):
        die(folder)
        assert Breadcrumbs(folder).deaths() == {"deadly": Death("deadly", "tgllm-deadly", "1.0", times)}
        assert Breadcrumbs(folder).deaths()["deadly"].times == times
    assert Breadcrumbs(folder).forget("deadly")
    assert not Breadcrumbs(folder).forget("deadly")
    assert list(folder.iterdir()) == []


def test_another_version_begins_anew(folder: Path) -> None:
    for _ in range(2):
        die(folder)
        Breadcrumbs(folder).deaths()
    die(folder, FoundPlugin("deadly", "tgllm-deadly", "1.1", "deadly"))
    assert Breadcrumbs(folder).deaths()["deadly"] == Death("deadly", "tgllm-deadly", "1.1")


def test_what_a_living_process_loads_is_no_death(alive: Path) -> None:
    assert Breadcrumbs(alive).deaths() == {}


def test_a_plugin_that_was_loaded_leaves_nothing(folder: Path) -> None:
    mine = Breadcrumbs(folder)
    mine.begin(DEADLY)
    assert len(list(folder.iterdir())) == 1
    mine.end("deadly")
    mine.close()
    assert list(folder.iterdir()) == []


@pytest.mark.parametrize("content", ["", "{", "[]", '{"plugin_id": 5}', "null"])
def test_a_file_that_can_not_be_read_is_removed(folder: Path, content: str) -> None:
    (folder / "loading.97").write_text(content)
    (folder / "loading-failures.json").write_text(content)
    assert Breadcrumbs(folder).deaths() == {}
    assert not (folder / "loading.97").exists()


def test_a_folder_that_is_not_there_is_no_failure(tmp_path: Path) -> None:
    mine = Breadcrumbs(tmp_path / "none")
    assert mine.deaths() == {}
    mine.begin(DEADLY)
    mine.end("deadly")
    mine.close()


async def test_it_is_tried_once_more_and_then_left_out(
    site: Any, load_host: LoadHost, record: FindRecord, folder: Path
) -> None:
    site.write("deadly", PLUGIN)
    die(folder)
    assert record(await load_host(), "deadly").state == "active"
    assert Breadcrumbs(folder).deaths() == {}
    for _ in range(2):
        die(folder)
        Breadcrumbs(folder).deaths()
    for _ in range(2):
        found = record(await load_host(), "deadly")
        assert (found.state, found.reason) == (
            "quarantined",
            LEFT_OUT,
        )
    assert Breadcrumbs(folder).forget("deadly")
    assert record(await load_host(), "deadly").state == "active"


async def test_the_files_are_used_beside_the_event_loop_and_the_list_is_read_once(
    site: Any, load_host: LoadHost, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    calls: list[tuple[str, int]] = []

    def counted(name: str) -> None:
        method = getattr(Breadcrumbs, name)

        def call(self: Breadcrumbs, *args: Any) -> Any:
            calls.append((name, threading.get_ident()))
            return method(self, *args)

        monkeypatch.setattr(Breadcrumbs, name, call)

    names = ("deaths", "begin", "end", "close", "_stored")
    for name in names:
        counted(name)
    for plugin_id in ("one", "two", "three"):
        site.write(plugin_id, PLUGIN.replace("deadly", plugin_id).replace("Deadly", plugin_id))
    await load_host()

    assert {name: [call[0] for call in calls].count(name) for name in names} == {
        "deaths": 1,
        "begin": 3,
        "end": 3,
        "close": 1,
        "_stored": 1,
    }
    assert threading.get_ident() not in {thread for _, thread in calls}


async def test_a_person_can_leave_it_out_at_once(
    site: Any, load_host: LoadHost, record: FindRecord, folder: Path
) -> None:
    site.write("deadly", PLUGIN)
    die(folder)
    (death,) = Breadcrumbs(folder).deaths().values()
    Breadcrumbs(folder).leave_out(death)
    assert record(await load_host(), "deadly").reason == LEFT_OUT
    assert record(await load_host(found=[replace(site.found()[0], version="1.1")]), "deadly").state == "active"


async def test_who_may_pass_is_not_decided_by_leaving_the_plugin_out(
    site: Any, load_host: LoadHost, folder: Path, database: Database
) -> None:
    site.write("deadly", PLUGIN)
    await (await load_host(database=database)).startup()
    for _ in range(2):
        die(folder)
        Breadcrumbs(folder).deaths()
    host = await load_host(database=database)
    chat = ChatInfo(7, "private")
    assert not (await host.authorize(UserInfo(7, "Ann", "user"), chat, "message")).allowed
    assert (await host.authorize(UserInfo(8, "Bob", "owner"), chat, "message")).allowed


async def test_output_while_plugins_are_loaded_goes_to_stderr(
    site: Any, load_host: LoadHost, record: FindRecord, capfd: pytest.CaptureFixture[str]
) -> None:
    site.write(
        "loud",
        """
        import ctypes, os, subprocess, sys
        print("printed")
        os.write(1, b"written\\n")
        subprocess.run([sys.executable, "-c", "print('of a child')"])
        ctypes.CDLL(None).printf(b"of native code\\n")
        @hookimpl
        def tgllm_plugin_info(): return PluginInfo("loud", "Loud", "1.0")
        """,
    )
    host = await load_host()
    assert record(host, "loud").state == "active"
    sys.stdout.write("mine\n")
    sys.stdout.flush()
    seen = capfd.readouterr()
    assert seen.out == "mine\n"
    assert {"printed", "written", "of a child", "of native code"} <= set(seen.err.splitlines())
