"""What counts as a call, and from where it comes."""

import asyncio
import importlib
import sys
import threading
from pathlib import Path

import pytest
from benchmarks.call_counter import counting_calls

OUTER = """
import asyncio
from counted.inner import add

class Body:
    pass

async def wait():
    for _ in range(2):
        await asyncio.sleep(0)
    return add(1, 2)

def through_a_library():
    return list(map(lambda it: add(it, 1), sorted([2, 1], key=abs)))

def begin(call):
    asyncio.get_running_loop().call_soon(call)
"""
INNER = """
def add(one, other):
    return _sum(one, other)

def _sum(one, other):
    return one + other
"""
FAKE = """
from counted.inner import add

def use():
    return add(1, 2)
"""


@pytest.fixture(autouse=True)
def package(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name, text in {
        "__init__": "",
        "outer": OUTER,
        "inner": INNER,
        "fakes/__init__": "",
        "fakes/fake": FAKE,
    }.items():
        path = tmp_path / "counted" / f"{name}.py"
        path.parent.mkdir(exist_ok=True)
        path.write_text(text)
    monkeypatch.syspath_prepend(tmp_path)
    for name in ("counted", "counted.outer", "counted.inner", "counted.fakes", "counted.fakes.fake"):
        monkeypatch.delitem(sys.modules, name, raising=False)


def test_a_coroutine_that_goes_on_is_a_call_but_has_begun_once() -> None:
    outer = importlib.import_module("counted.outer")
    with counting_calls("counted", leave_out="fakes") as counter:
        asyncio.run(outer.wait())
        counted = counter.calls()
    assert counted.modules == ("inner.py", "outer.py")
    assert counted.layers == {"inner": 1, "outer": 1}
    assert (counted.calls, counted.begun, counted.across) == (5, 3, 1)
    assert counted.functions == {"wait": 1, "add": 1, "_sum": 1}


def test_a_call_through_a_library_comes_from_the_module_before_it() -> None:
    outer = importlib.import_module("counted.outer")
    with counting_calls("counted", leave_out="fakes") as counter:
        outer.through_a_library()
        counted = counter.calls()
    assert counted.functions["add"] == 2
    assert counted.across == 2


def test_a_call_of_the_event_loop_comes_from_no_module() -> None:
    outer, inner = importlib.import_module("counted.outer"), importlib.import_module("counted.inner")

    async def use() -> None:
        outer.begin(lambda: inner.add(1, 2))
        await counter.quiet()

    with counting_calls("counted", leave_out="fakes") as counter:
        asyncio.run(use())
        counted = counter.calls()
    assert (counted.begun, counted.across) == (3, 0)


def test_bodies_of_modules_and_what_is_left_out_are_not_counted() -> None:
    with counting_calls("counted", leave_out="fakes") as counter:
        importlib.import_module("counted.outer")
        assert counter.calls().functions == {"Body": 1}
        fake = importlib.import_module("counted.fakes.fake")
        counter.reset()
        fake.use()
        assert counter.calls().calls == 0


def test_other_threads_are_counted_too() -> None:
    inner = importlib.import_module("counted.inner")
    with counting_calls("counted", leave_out="fakes") as counter:
        thread = threading.Thread(target=inner.add, args=(1, 2))
        thread.start()
        thread.join()
        counted = counter.calls()
    assert counted.begun == 2
    assert threading.getprofile() is None
