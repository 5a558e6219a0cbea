"""The service manager is informed over its socket, in the form that systemd reads."""

import asyncio
import os
import secrets
import socket
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tgllm.observe.redaction import redactor
from tgllm.observe.service_manager import ServiceManager
from tgllm.testing.clock import ManualClock

Received = Callable[[], list[dict[str, str]]]


def addresses() -> list[str]:
    return ["path", *(["abstract"] if sys.platform == "linux" else [])]


@pytest.fixture(params=addresses())
def address(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    return f"@tgllm-{secrets.token_hex(8)}" if request.param == "abstract" else str(tmp_path / "notify")


@pytest.fixture
def received(address: str) -> Iterator[Received]:
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as receiver:
        receiver.bind("\0" + address[1:] if address.startswith("@") else address)
        receiver.setblocking(False)

        def read() -> list[dict[str, str]]:
            found = list[dict[str, str]]()
            while True:
                try:
                    lines = receiver.recv(65_536).decode().split("\n")
                except BlockingIOError:
                    return found
                found.append(dict(line.split("=", 1) for line in lines))

        yield read


def test_ready_is_sent_once_and_each_change_of_the_status(address: str, received: Received) -> None:
    manager = ServiceManager({"NOTIFY_SOCKET": address})
    manager.starting("opening the database")
    manager.ready("waiting for Telegram: refused\nby 127.0.0.1")
    manager.starting("too late")
    manager.ready("receiving messages")

    assert received() == [
        {"STATUS": "opening the database"},
        {"READY": "1", "STATUS": "waiting for Telegram: refused by 127.0.0.1"},
        {"STATUS": "receiving messages"},
    ]


def test_the_shutdown_is_the_last_state(address: str, received: Received) -> None:
    manager = ServiceManager({"NOTIFY_SOCKET": address})
    manager.stopping("finishing", 60.0)
    manager.ready("receiving messages")
    manager.starting("starting")

    assert received() == [{"STOPPING": "1", "EXTEND_TIMEOUT_USEC": "60000000", "STATUS": "finishing"}]


def test_no_secret_is_sent(address: str, received: Received) -> None:
    redactor.add("123456:planted-token-of-the-bot")
    ServiceManager({"NOTIFY_SOCKET": address}).ready("no answer from /bot123456:planted-token-of-the-bot/getMe")

    (state,) = received()
    assert "planted" not in state["STATUS"]


async def test_signs_of_life_come_twice_in_the_time_that_is_allowed(address: str, received: Received) -> None:
    clock = ManualClock()
    manager = ServiceManager({"NOTIFY_SOCKET": address, "WATCHDOG_USEC": "30000000", "WATCHDOG_PID": str(os.getpid())})
    assert manager.watchdog_seconds == 30.0

    task = asyncio.create_task(manager.run_watchdog(clock))
    await clock.advance(0.0)
    for _ in range(3):
        assert received() == [{"WATCHDOG": "1"}]
        await clock.advance(14.9)
        assert received() == []
        await clock.advance(0.1)
    task.cancel()
    await asyncio.wait({task})


@pytest.mark.parametrize(
    "variables",
    [{}, {"WATCHDOG_USEC": "0"}, {"WATCHDOG_USEC": "soon"}, {"WATCHDOG_USEC": "1000", "WATCHDOG_PID": "1"}],
    ids=["none", "zero", "nonsense", "of another process"],
)
async def test_without_a_watchdog_of_its_own_it_sends_no_signs_of_life(
    address: str, received: Received, variables: dict[str, str]
) -> None:
    await ServiceManager({"NOTIFY_SOCKET": address, **variables}).run_watchdog(ManualClock())

    assert received() == []


@pytest.mark.parametrize("text", ["", "relative/path", "vsock:2:1234", "/does/not/exist"])
def test_without_a_usable_socket_nothing_happens(text: str) -> None:
    manager = ServiceManager({"NOTIFY_SOCKET": text})
    manager.ready("receiving messages")
    manager.stopping("finishing", 1.0)


def test_a_full_queue_does_not_block(address: str, received: Received) -> None:
    manager = ServiceManager({"NOTIFY_SOCKET": address})
    for number in range(10_000):
        manager.ready(str(number))

    assert received()[0]["STATUS"] == "0"
