"""Trouble that only the admins can end reaches them, once in a while."""

import json

import pytest

from tgllm.api import AuthFailed, QuotaExceeded, RateLimited, TgllmError
from tgllm.db.database import Database
from tgllm.i18n import Catalogue
from tgllm.services.messaging.admins import AdminNotifier
from tgllm.services.turns.account_alerts import QUIET_SECONDS, AccountAlerts
from tgllm.testing.clock import ManualClock


async def told(database: Database) -> list[str]:
    rows = await database.read(lambda conn: conn.execute("SELECT payload FROM outbox ORDER BY id").fetchall())
    return [json.loads(row[0])["text"] for row in rows]


@pytest.mark.parametrize(("error", "word"), [(QuotaExceeded(), "credit"), (AuthFailed(), "key")])
async def test_it_is_told_with_the_provider_and_what_to_do(database: Database, error: TgllmError, word: str) -> None:
    clock = ManualClock()
    alerts = AccountAlerts(AdminNotifier(database, clock, 77), Catalogue(strict=True), clock)
    await alerts.note("dipseek", error)
    (text,) = await told(database)
    assert "dipseek" in text
    assert word in text
    assert "tgllm" in text


async def test_it_is_told_once_in_a_while_for_each_provider(database: Database) -> None:
    clock = ManualClock()
    alerts = AccountAlerts(AdminNotifier(database, clock, 77), Catalogue(), clock)
    for provider in ("dipseek", "dipseek", "mistral"):
        await alerts.note(provider, QuotaExceeded())
    assert len(await told(database)) == 2
    await clock.advance(QUIET_SECONDS)
    await alerts.note("dipseek", QuotaExceeded())
    assert len(await told(database)) == 3


async def test_what_passes_by_itself_is_not_told(database: Database) -> None:
    clock = ManualClock()
    alerts = AccountAlerts(AdminNotifier(database, clock, 77), Catalogue(), clock)
    await alerts.note("dipseek", RateLimited())
    assert await told(database) == []
