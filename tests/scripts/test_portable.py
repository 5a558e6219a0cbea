"""Which tests run on every Python: whole parts that depend on its version, and one of every other module."""

from dataclasses import dataclass, field
from pathlib import Path

import pytest

from portable import ALIKE, WHOLE, is_whole, portable

ROOT = Path(__file__).resolve().parents[2]


@dataclass(frozen=True)
class Test:
    nodeid: str
    markers: frozenset[str] = field(default_factory=frozenset[str])

    __test__ = False

    def get_closest_marker(self, name: str) -> object | None:
        return name if name in self.markers else None


def selected(*items: Test) -> list[str]:
    kept, left_out = portable(items)
    assert len(kept) + len(left_out) == len(items)
    return [item.nodeid for item in kept]


def test_a_part_that_depends_on_the_version_is_whole_and_others_have_one_test_a_module() -> None:
    names = [
        "tests/api/test_a.py::test_1", "tests/api/test_a.py::test_2",
        "tests/bot/ui/test_b.py::test_1[x]", "tests/bot/ui/test_b.py::test_1[y]", "tests/bot/ui/test_b.py::test_2",
        "tests/bot/ui/test_c.py::TestC::test_1", "plugins/tgllm_x/tests/test_d.py::test_1",
        "plugins/tgllm_x/tests/test_d.py::test_2",
    ]  # fmt: skip

    assert selected(*map(Test, names)) == [name for name in names if name not in {names[3], names[4]}]


def test_between_the_oldest_and_the_newest_python_one_test_a_module_is_enough() -> None:
    names = ["tests/api/test_a.py::test_1", "tests/api/test_a.py::test_2", "tests/bot/ui/test_b.py::test_1"]
    kept, left_out = portable([Test(name) for name in names], only_first=True)
    assert [item.nodeid for item in kept] == [names[0], names[2]]
    assert [item.nodeid for item in left_out] == [names[1]]


@pytest.mark.parametrize("marker", ["once", "packaging", "real_model", "samples"])
def test_a_test_for_one_python_is_no_sample_of_its_module(marker: str) -> None:
    first, second = Test("tests/bot/test_e.py::test_1", frozenset({marker})), Test("tests/bot/test_e.py::test_2")

    assert selected(first, second) == [second.nodeid]
    assert selected(Test("tests/api/test_a.py::test_1", frozenset({marker}))) == []


def test_a_folder_with_a_longer_name_is_another() -> None:
    assert is_whole("tests/api/test_a.py")
    assert not is_whole("tests/api_other/test_a.py")


def test_of_a_part_that_is_alike_on_all_pythons_one_test_a_module_is_enough() -> None:
    names = ["plugins/tgllm_whisper/tests/test_a.py::test_1", "plugins/tgllm_whisper/tests/test_a.py::test_2"]
    assert selected(*map(Test, names)) == names[:1]


def test_every_part_that_is_named_exists() -> None:
    assert [path for path in (*WHOLE, *ALIKE) if not (ROOT / path).exists()] == []
