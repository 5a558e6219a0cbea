"""CPUs and memory, with and without the limits of a container."""

import os
from pathlib import Path

import pytest

from tgllm_whisper.machine import cpu_count, default_threads, free_memory

GB = 2**30


@pytest.fixture
def machine(tmp_path: Path) -> Path:
    """A machine with 8 GB free; its process is in the cgroup ``/bot/inner``."""
    files = {
        "proc/meminfo": "MemTotal:       16777216 kB\nMemAvailable:    8388608 kB\n",
        "proc/self/cgroup": "0::/bot/inner\n",
        "cgroup/bot/inner/memory.max": "max\n",
        "cgroup/bot/inner/cpu.max": "max 100000\n",
    }
    for name, text in files.items():
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    return tmp_path


def free(machine: Path) -> int | None:
    return free_memory(machine / "proc", machine / "cgroup")


def cpus(machine: Path) -> int:
    return cpu_count(machine / "proc", machine / "cgroup")


def test_without_a_limit_it_is_what_the_kernel_says(machine: Path) -> None:
    assert free(machine) == 8 * GB


def test_the_limit_of_an_outer_container_counts(machine: Path) -> None:
    for name, text in (("max", 2 * GB), ("current", GB), ("stat", f"anon 5\ninactive_file {GB // 2}")):
        (machine / "cgroup" / "bot" / f"memory.{name}").write_text(f"{text}\n")

    assert free(machine) == GB + GB // 2


def test_a_system_that_does_not_say(tmp_path: Path) -> None:
    assert free(tmp_path) is None
    assert cpus(tmp_path) >= 1


def test_cpus_are_those_of_the_process(machine: Path) -> None:
    assert cpus(machine) == len(os.sched_getaffinity(0))


def test_the_cpu_limit_of_a_container_counts(machine: Path) -> None:
    (machine / "cgroup" / "bot" / "cpu.max").write_text("50000 100000\n")

    assert cpus(machine) == 1


def test_one_cpu_is_left_to_the_bot() -> None:
    assert [default_threads(cpus) for cpus in (1, 2, 8)] == [1, 1, 7]
