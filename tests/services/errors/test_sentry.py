"""Events for Sentry, sent by its own client to a server of this machine."""

import socket
import sys
from collections.abc import Generator, Mapping

import pytest
from pydantic import SecretStr

import tgllm
from sentry_support import KEY, SentryServer, sentry_server
from tgllm.config.sections.errors import ErrorsSection
from tgllm.observe.errors import facts_of
from tgllm.observe.installation import install_command
from tgllm.observe.redaction import redactor
from tgllm.services.errors.sentry import PACKAGE, Sentry, check_sentry, open_sentry
from tgllm.testing.clock import ManualClock

SECRET = "marked-secret-0123456789"


@pytest.fixture
def server() -> Generator[SentryServer]:
    with sentry_server() as received:
        yield received


def versions() -> Mapping[str, str]:
    return {"weather": "1.2"}


def settings(dsn: str) -> ErrorsSection:
    return ErrorsSection(sentry_dsn=SecretStr(dsn), environment="staging")


def opened(dsn: str, clock: ManualClock) -> Sentry:
    sender = open_sentry(settings(dsn), clock, versions)
    assert sender is not None
    return sender


def raised(error: Exception) -> Exception:
    a_variable = f"not to be sent {SECRET}"
    try:
        raise error
    except Exception as caught:  # noqa: BLE001  any error is given
        assert a_variable
        return caught


async def test_an_event_has_place_release_environment_and_versions(server: SentryServer, clock: ManualClock) -> None:
    sender = opened(server.dsn, clock)
    facts = facts_of(raised(ValueError("bang")), "command.failed", "weather")

    sender.send(facts, "1.2")
    await sender.aclose()

    (event,) = server.events
    assert server.paths == ["/api/42/envelope/"]
    assert f"sentry_key={KEY}" in server.headers[0]["X-Sentry-Auth"]
    assert event["fingerprint"] == [facts.code]
    assert (event["release"], event["environment"], event["level"]) == (
        f"tgllm@{tgllm.__version__}",
        "staging",
        "error",
    )
    assert event["tags"] | {"error_id": facts.code, "plugin": "weather", "plugin_version": "1.2"} == event["tags"]
    assert event["tags"]["plugin.weather"] == "1.2"
    (value,) = event["exception"]["values"]
    assert (value["type"], value["value"]) == ("ValueError", "bang")
    assert value["stacktrace"]["frames"][-1]["function"] == "raised"


async def test_nothing_else_of_the_process_is_sent(server: SentryServer, clock: ManualClock) -> None:
    redactor.add(SECRET)
    sender = opened(server.dsn, clock)

    sender.send(facts_of(raised(ValueError(f"the key {SECRET} was refused")), "turn.crashed"), "1.0")
    await sender.aclose()

    (body,) = server.bodies
    text = body.decode()
    for hidden in (SECRET, "a_variable", sys.argv[0], socket.gethostname(), "breadcrumbs", '"modules"', '"vars"'):
        assert hidden not in text


async def test_errors_of_one_kind_are_one_event_a_minute(server: SentryServer, clock: ManualClock) -> None:
    sender = opened(server.dsn, clock)
    facts = facts_of(raised(ValueError("bang")), "update.failed")

    for _ in range(1_000):
        sender.send(facts, "1.0")
    await clock.advance(61)
    sender.send(facts, "1.0")
    await sender.aclose()

    assert len(server.events) == 2


async def test_a_server_that_is_not_there_costs_nothing(clock: ManualClock) -> None:
    with socket.socket() as taken:
        # Bound and not listening: connections are refused.
        taken.bind(("127.0.0.1", 0))
        sender = opened(f"http://{KEY}@127.0.0.1:{taken.getsockname()[1]}/1", clock)

        sender.send(facts_of(ValueError("bang"), "update.failed"), "1.0")
        await sender.aclose()


def test_without_a_dsn_there_is_no_sender(clock: ManualClock) -> None:
    assert open_sentry(ErrorsSection(), clock, versions) is None
    assert check_sentry(ErrorsSection()) is None


def test_a_missing_client_is_a_warning_with_the_command(
    clock: ManualClock, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setitem(sys.modules, "sentry_sdk", None)

    assert open_sentry(settings(f"http://{KEY}@127.0.0.1:9/1"), clock, versions) is None

    command = install_command(PACKAGE)
    assert command in capsys.readouterr().out
    check = check_sentry(settings(f"http://{KEY}@127.0.0.1:9/1"))
    assert check is not None
    assert (check.state, command in check.detail) == ("failed", True)


@pytest.mark.parametrize("dsn", ["nonsense", "https://sentry.example/1", "https://key@sentry.example/", "ftp://k@h/1"])
def test_a_wrong_dsn_says_what_a_right_one_looks_like_and_is_not_repeated(dsn: str) -> None:
    with pytest.raises(ValueError, match="such as https://<key>@<host>/<project number>") as caught:
        ErrorsSection.model_validate({"sentry_dsn": dsn})
    assert dsn not in str(caught.value)
