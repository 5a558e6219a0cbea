"""Whether requests to the webhook's address reach the bot that runs here."""

from pathlib import Path

import pytest
from aiohttp import web

from tgllm.api import Check
from tgllm.config.load import load_config
from tgllm.db.engine.lock import lock_data_folder
from tgllm.i18n import Catalogue
from tgllm.services.diagnosis.webhook import check_webhook

TEXTS = Catalogue(strict=True)


@pytest.fixture(autouse=True)
def without_proxy(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("http_proxy", "https_proxy", "all_proxy", "no_proxy"):
        monkeypatch.delenv(name, raising=False)
        monkeypatch.delenv(name.upper(), raising=False)


async def check(folder: Path, url: str | None, **changes: object) -> tuple[Check, ...]:
    flags = {"telegram_api": "http://127.0.0.1:1", "data_dir": str(folder), "webhook.url": url}
    flags |= {f"webhook.{key}": value for key, value in changes.items()}
    config = load_config(flags, environ={}, with_file=False).config
    return tuple(await check_webhook(config, TEXTS))


async def answered(folder: Path, status: int, **changes: object) -> Check:
    seen: list[tuple[str, str]] = []

    async def answer(request: web.BaseRequest) -> web.Response:
        seen.append((request.method, request.path_qs))
        return web.Response(status=status)

    runner = web.ServerRunner(web.Server(answer))
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    try:
        with lock_data_folder(folder):
            (found,) = await check(folder, f"http://127.0.0.1:{runner.addresses[0][1]}/hook?x=1", **changes)
    finally:
        await runner.cleanup()
    assert seen == [("POST", "/hook?x=1")]
    return found


@pytest.mark.parametrize(
    ("status", "state", "words"),
    [
        (401, "ok", "reach the bot"),
        (200, "failed", "messages are lost"),
        (204, "failed", "messages are lost"),
        (502, "failed", "can't reach the bot: let it pass requests on to 127.0.0.1:8080"),
        (503, "failed", "can't reach the bot"),
        (404, "failed", "the whole path on to 127.0.0.1:8080"),
        (403, "failed", "the whole path"),
        (301, "failed", "the whole path"),
    ],
)
async def test_the_answer_says_what_is_there(tmp_path: Path, status: int, state: str, words: str) -> None:
    found = await answered(tmp_path, status)

    assert found.state == state
    assert words in found.detail


async def test_a_bot_that_takes_telegrams_addresses_only_refuses_ours(tmp_path: Path) -> None:
    found = await answered(tmp_path, 403, addresses="telegram", proxy_header="X-Real-IP")

    assert found.state == "ok"


async def test_an_address_that_is_not_reached_from_here_is_a_warning(tmp_path: Path) -> None:
    with lock_data_folder(tmp_path):
        (found,) = await check(tmp_path, "http://127.0.0.1:1/hook")

    assert found.state == "warning"
    assert "127.0.0.1:1" in found.detail


async def test_without_a_webhook_or_a_bot_nothing_is_asked(tmp_path: Path) -> None:
    (stopped,) = await check(tmp_path, "http://127.0.0.1:1/hook")

    assert await check(tmp_path, None) == ()
    assert stopped.state == "ok"
