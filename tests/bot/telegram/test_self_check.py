"""What ``tgllm doctor`` asks Telegram about the bot, without taking an update."""

import asyncio
from time import time

import pytest

from tgllm.api import Check
from tgllm.bot.telegram.account import open_account
from tgllm.bot.telegram.self_check import SelfCheck, check_telegram
from tgllm.i18n import Catalogue
from tgllm.testing.emulator import EmulatedUser, Emulator, Fault
from tgllm.testing.emulator.state.bots import WebhookSettings

TEXTS = Catalogue(strict=True)


async def checks(emu: Emulator, *, hold: int = 0, **wanted: object) -> dict[str, Check]:
    found = await check_telegram(SelfCheck(emu.token, emu.base_url, **wanted), TEXTS, hold=hold)  # type: ignore[arg-type]  fields by name
    return {check.name: check for check in found}


async def test_all_is_well(emu: Emulator, ann: EmulatedUser) -> None:
    ann.private_chat()
    found = await checks(emu, admins=(ann.id,))

    assert {check.state for check in found.values()} == {"ok"}
    assert found["Telegram"].detail == f"the bot is @{emu.bot.username}"
    assert list(found) == [
        "Telegram", "Telegram: webhook", "Telegram: updates", "Telegram: admins", "Telegram: groups",
    ]  # fmt: skip


async def test_a_webhook_is_named_with_its_error_and_without_its_path(emu: Emulator) -> None:
    emu.bot.webhook = WebhookSettings("http://127.0.0.1:9/secret-path")
    emu.bot.webhook_error = (1, "Connection refused")
    webhook = (await checks(emu))["Telegram: webhook"]

    assert webhook.state == "failed"
    assert "127.0.0.1" in webhook.detail
    assert "Connection refused" in webhook.detail
    assert "deleteWebhook" in webhook.detail
    assert "secret-path" not in webhook.detail
    assert emu.token not in webhook.detail
    assert not emu.journal.of("getUpdates")


async def test_waiting_updates_are_counted_and_stay(emu: Emulator, ann: EmulatedUser) -> None:
    await ann.say("hello")
    updates = (await checks(emu, hold=4))["Telegram: updates"]

    assert updates == Check("Telegram: updates", "ok", "Updates that wait at Telegram: 1.")
    assert len(emu.bot.queue.pending) == 1


async def test_another_program_that_fetches_them_is_found(emu: Emulator, ann: EmulatedUser) -> None:
    async def other() -> None:
        async with open_account(emu.token, emu.base_url) as account:
            while True:
                try:
                    await account.waiting(50)
                except Exception:  # noqa: BLE001  such as the conflict that the check causes
                    await asyncio.wait([asyncio.create_task(polled(emu))])

    running = asyncio.create_task(other())
    await polled(emu)
    updates = (await checks(emu, hold=30))["Telegram: updates"]
    running.cancel()

    assert updates.state == "failed"
    assert "Another program fetches this bot's updates" in updates.detail


async def polled(emu: Emulator) -> None:
    await emu.wait_for(lambda: emu.bot.queue.is_polled)


async def test_a_bot_that_runs_here_is_not_disturbed(emu: Emulator) -> None:
    updates = (await checks(emu, is_running=True))["Telegram: updates"]

    assert updates.state == "ok"
    assert not emu.journal.of("getUpdates")


async def test_privacy_mode_is_explained(emu: Emulator) -> None:
    emu.bot.reads_all_group_messages = False
    groups = (await checks(emu))["Telegram: groups"]

    assert groups.state == "ok"
    assert "/setprivacy" in groups.detail


async def test_an_admin_who_has_never_pressed_start(emu: Emulator, ann: EmulatedUser) -> None:
    admins = (await checks(emu, admins=(ann.id, 4711), admin_chat=-100123))["Telegram: admins"]

    assert admins.state == "warning"
    assert "4711" in admins.detail
    assert "press Start" in admins.detail
    assert "-100123" in admins.detail


@pytest.mark.parametrize("method", ["getWebhookInfo", "getChat"])
async def test_one_that_fails_does_so_alone(emu: Emulator, ann: EmulatedUser, method: str) -> None:
    emu.faults.add(Fault.bad_gateway(method, times=None))
    found = await checks(emu, admins=(ann.id,))

    name = "Telegram: updates" if method == "getWebhookInfo" else "Telegram: admins"
    assert [check.name for check in found.values() if check.state == "failed"] == [name]
    assert "Telegram: groups" in found


@pytest.mark.parametrize(
    ("body", "words"),
    [
        (b'{"ok": true, "result": []}', "result in the answer to getMe has the wrong type (list)"),
        (b'{"ok": true}', "result in the answer to getMe is missing"),
        (b'{"ok": true, "result": {"first_name": "X"}}', "result.id in the answer to getMe is missing"),
        (b'{"ok": true, "result": {"id": true}}', "result.id in the answer to getMe has the wrong type (bool)"),
        (b'{"ok": "yes", "result": {"id": 42}}', "ok in the answer to getMe has the wrong type (str)"),
    ],
)
async def test_a_server_that_is_none_is_named_with_the_field_that_is_wrong(
    emu: Emulator, body: bytes, words: str
) -> None:
    emu.faults.add(Fault.raw("getMe", body))
    (found,) = (await checks(emu)).values()

    assert found.state == "failed"
    assert found.detail.startswith(f"{emu.base_url.removeprefix('http://')}: {words}; ")
    assert "telegram_api" in found.detail


async def test_an_error_of_the_server_is_quoted(emu: Emulator) -> None:
    emu.faults.add(Fault.api_error("getMe", 500, "Internal Server Error: shard 7"))
    (found,) = (await checks(emu)).values()

    assert found.state == "failed"
    assert "Internal Server Error: shard 7" in found.detail


async def test_an_id_in_quotation_marks_is_one(emu: Emulator) -> None:
    emu.faults.add(Fault.raw("getMe", b'{"ok": true, "result": {"id": "42", "username": "my_bot"}}'))

    assert (await checks(emu))["Telegram"] == Check("Telegram", "ok", "the bot is @my_bot")


async def test_fields_that_another_server_leaves_out(emu: Emulator) -> None:
    emu.faults.add(Fault.raw("getMe", b'{"ok": true, "result": {"id": 42, "username": "my_bot"}}'))
    found = await checks(emu)

    assert found["Telegram"].detail == "the bot is @my_bot"
    assert found["Telegram: groups"].state == "ok"


class TestWithAWebhook:
    URL = "http://127.0.0.1:9/secret-path"

    async def found(
        self, emu: Emulator, *, url: str = "", error: tuple[int, str] | None = None, **wanted: object
    ) -> Check:
        emu.bot.webhook = WebhookSettings(url) if url else None
        emu.bot.webhook_error = error
        found = (await checks(emu, **{"webhook": self.URL, "is_running": True, **wanted}))["Telegram: webhook"]
        assert "secret-path" not in found.detail
        assert not emu.journal.of("getUpdates")
        return found

    async def test_it_is_the_one_of_the_settings(self, emu: Emulator) -> None:
        found = await self.found(emu, url=self.URL)

        assert (found.state, found.detail) == ("ok", "Telegram sends the updates to 127.0.0.1")

    async def test_telegram_does_not_reach_it(self, emu: Emulator, ann: EmulatedUser) -> None:
        await ann.say("hello")
        found = await self.found(emu, url=self.URL, error=(int(time()), "Connection refused"))

        assert found.state == "failed"
        assert "Connection refused" in found.detail

    async def test_it_did_not_reach_it_a_while_ago(self, emu: Emulator) -> None:
        found = await self.found(emu, url=self.URL, error=(int(time()) - 120, "Connection refused"))

        assert found.state == "ok"
        assert "2 min ago: Connection refused" in found.detail

    async def test_a_bot_that_is_off_need_not_be_reached(self, emu: Emulator, ann: EmulatedUser) -> None:
        await ann.say("hello")
        found = await self.found(emu, url=self.URL, error=(int(time()), "502 Bad Gateway"), is_running=False)

        assert found.state == "ok"

    async def test_another_program_has_removed_or_replaced_it(self, emu: Emulator) -> None:
        assert (await self.found(emu)).state == "failed"
        assert (await self.found(emu, url="http://127.0.0.2:9/x")).state == "failed"

    async def test_before_the_start_it_is_not_there_yet(self, emu: Emulator) -> None:
        assert (await self.found(emu, is_running=False)).state == "ok"
        assert (await self.found(emu, url="http://127.0.0.2:9/x", is_running=False)).state == "warning"

    async def test_what_the_bot_has_set_itself_is_removed_by_the_next_start(self, emu: Emulator) -> None:
        emu.bot.webhook = WebhookSettings(self.URL)
        found = (await checks(emu, own_webhook=self.URL))["Telegram: webhook"]

        assert found.state == "ok"
        assert "removes it when it starts" in found.detail
