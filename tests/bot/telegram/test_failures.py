"""What a failed call means."""

import errno
from unittest.mock import Mock

import pytest
from aiogram import exceptions as telegram
from aiogram.methods import GetMe
from aiohttp import ClientConnectorError, ClientHttpProxyError, ServerDisconnectedError

from tgllm.bot.telegram.answers import UnreadableAnswer
from tgllm.bot.telegram.connection import ConnectionLost, failure_of
from tgllm.bot.telegram.failures import CallFailure, classify, fatal_error, refused_by_conflict

METHOD = GetMe()


def lost(cause: Exception) -> ConnectionLost:
    failure = failure_of(cause, "https://api.telegram.org/bot42:SECRET/getMe")
    assert failure is not None
    return ConnectionLost(METHOD, failure)


def network(cause: Exception) -> telegram.TelegramNetworkError:
    error = telegram.TelegramNetworkError(METHOD, "trouble at /bot42:SECRET/getMe")
    error.__cause__ = cause
    return error


@pytest.mark.parametrize(
    ("error", "meaning"),
    [
        (telegram.TelegramRetryAfter(METHOD, "Too Many Requests", 7), "wait"),
        (lost(ClientConnectorError(Mock(ssl=None), ConnectionRefusedError(errno.ECONNREFUSED, "refused"))), "retry"),
        (lost(ClientHttpProxyError(Mock(), (), status=407, message="Proxy Authentication Required")), "retry"),
        (lost(ServerDisconnectedError()), "unknown"),
        (telegram.TelegramBadRequest(METHOD, "Bad Request: chat not found"), "rejected"),
        (telegram.TelegramNotFound(METHOD, "Not Found"), "rejected"),
        (telegram.TelegramEntityTooLarge(METHOD, "Request Entity Too Large"), "rejected"),
        (telegram.TelegramMigrateToChat(METHOD, "Bad Request: group upgraded", -200), "retry"),
        (telegram.TelegramForbiddenError(METHOD, "Forbidden: bot was blocked by the user"), "blocked"),
        (telegram.TelegramUnauthorizedError(METHOD, "Unauthorized"), "fatal"),
        (telegram.TelegramConflictError(METHOD, "Conflict"), "retry"),
        (network(ServerDisconnectedError()), "unknown"),
        (network(TimeoutError()), "unknown"),
        (telegram.TelegramServerError(METHOD, "Bad Gateway"), "unknown"),
        (telegram.RestartingTelegram(METHOD, "restart"), "unknown"),
        (telegram.ClientDecodeError("no JSON", ValueError(), "<html>"), "unknown"),
        (TimeoutError(), "unknown"),
        (ConnectionResetError(), "unknown"),
        (UnicodeEncodeError("utf-8", "\ud83d", 0, 1, "surrogates"), "rejected"),
    ],
    ids=lambda value: type(value).__name__ if isinstance(value, Exception) else value,
)
def test_the_meaning_of_a_failure(error: Exception, meaning: str) -> None:
    failure = classify(error)
    assert failure.meaning == meaning
    assert "SECRET" not in failure.reason


def page(status: int, *, is_page: bool = True, took: float | None = 0.1) -> ConnectionLost:
    error = UnreadableAnswer(f"HTTP {status}", status=status, is_page=is_page)
    failure = failure_of(error, "https://api.telegram.org", took=took)
    assert failure is not None
    return ConnectionLost(METHOD, failure)


@pytest.mark.parametrize("status", [502, 503, 504, 521, 522, 523, 525, 526])
def test_a_gateway_that_answers_at_once_has_not_passed_the_call_on(status: int) -> None:
    assert classify(page(status)).meaning == "retry"


@pytest.mark.parametrize(
    "error",
    [
        # It may have passed the call on, and waited for the answer.
        page(504, took=60.0),
        page(502, took=None),
        # Who has written it, and when, is not known.
        page(500),
        page(520),
        page(524),
        page(200),
        page(502, is_page=False),
    ],
    ids=str,
)
def test_what_a_gateway_may_have_passed_on_has_an_unknown_end(error: ConnectionLost) -> None:
    assert classify(error).meaning == "unknown"


def test_the_wait_that_telegram_asks_for_is_kept() -> None:
    error = telegram.TelegramRetryAfter(METHOD, "Too Many Requests", 7)
    assert classify(error) == CallFailure("wait", "Too Many Requests", 7.0)


@pytest.mark.parametrize(
    ("error", "code"),
    [
        (telegram.TelegramUnauthorizedError(METHOD, "Unauthorized"), "token_refused"),
        (telegram.TelegramNotFound(METHOD, "Not Found"), "token_refused"),
    ],
)
def test_what_ends_the_program_says_what_to_do(error: Exception, code: str) -> None:
    fatal = fatal_error(error)
    assert fatal is not None
    assert fatal.code == code
    assert len(str(fatal).split(". ")) > 1


@pytest.mark.parametrize(
    ("message", "code"),
    [
        ("Conflict: terminated by other getUpdates request", "already_polled"),
        ("Conflict: can't use it while webhook is active", "webhook_active"),
        ("Conflict: terminated by setWebhook request", "webhook_active"),
    ],
)
def test_a_conflict_that_does_not_end_says_what_to_do(message: str, code: str) -> None:
    error = telegram.TelegramConflictError(METHOD, message)
    assert fatal_error(error) is None
    assert refused_by_conflict(error).code == code
    assert len(str(refused_by_conflict(error)).split(". ")) > 1


@pytest.mark.parametrize("error", [TimeoutError(), telegram.TelegramServerError(METHOD, "x"), ValueError()])
def test_other_trouble_passes(error: Exception) -> None:
    assert fatal_error(error) is None
