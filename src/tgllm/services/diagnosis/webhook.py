"""Check of the way to the bot's webhook through the proxy: the bot has to refuse a request without the secret."""

import asyncio
from collections.abc import Sequence
from http import HTTPStatus

from tgllm.api import Check
from tgllm.config.model import Config
from tgllm.database_place import database_place
from tgllm.db.looking import is_running
from tgllm.i18n import Catalogue
from tgllm.services.diagnosis.network import knock

__all__ = ["check_webhook"]

_NAME = "Webhook"
_NO_BOT = frozenset({HTTPStatus.BAD_GATEWAY, HTTPStatus.SERVICE_UNAVAILABLE, HTTPStatus.GATEWAY_TIMEOUT})


async def check_webhook(config: Config, texts: Catalogue) -> Sequence[Check]:
    """Return whether requests to the webhook's address reach the bot that runs here."""
    url = config.webhook.url
    if url is None:
        return ()
    if not await asyncio.to_thread(is_running, database_place(config)):
        return (Check(_NAME, "ok", texts("doctor.hook_stopped")),)
    found = await knock(url, texts)
    if isinstance(found, str):
        # A network may not lead back to its own public address.
        return (Check(_NAME, "warning", texts("doctor.hook_unreached", reason=found)),)
    return (_judged(found, config, texts),)


def _judged(status: int, config: Config, texts: Catalogue) -> Check:
    place = f"{config.webhook.host}:{config.webhook.port}"
    if status == HTTPStatus.UNAUTHORIZED or (status == HTTPStatus.FORBIDDEN and config.webhook.addresses):
        return Check(_NAME, "ok", texts("doctor.hook_reached"))
    if HTTPStatus.OK <= status < HTTPStatus.MULTIPLE_CHOICES:
        return Check(_NAME, "failed", texts("doctor.hook_foreign", status=status, place=place))
    if status in _NO_BOT:
        return Check(_NAME, "failed", texts("doctor.hook_no_bot", status=status, place=place))
    return Check(_NAME, "failed", texts("doctor.hook_refused", status=status, place=place))
