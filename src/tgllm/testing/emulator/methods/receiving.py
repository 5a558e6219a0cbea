"""getUpdates and the webhook methods."""

import re

from yarl import URL

from tgllm.testing.emulator.methods.call import Described, MethodCall
from tgllm.testing.emulator.methods.registry import handles
from tgllm.testing.emulator.protocol.errors import bad_request, conflict
from tgllm.testing.emulator.server.loopback import resolves_to_loopback
from tgllm.testing.emulator.state.bots import WebhookSettings
from tgllm.testing.emulator.state.updates import MAX_LIMIT

__all__ = ["get_updates"]

_SECRET = re.compile(r"[A-Za-z0-9_-]+")
_LONGEST_SECRET = 256

_WEBHOOK_ACTIVE = "can't use getUpdates method while webhook is active; use deleteWebhook to delete the webhook first"


@handles("getUpdates")
async def get_updates(call: MethodCall) -> object:
    """Bot API: getUpdates."""
    if call.bot.webhook is not None:
        raise conflict(_WEBHOOK_ACTIVE)
    queue = call.bot.queue
    queue.allow(call.get("allowed_updates"))
    offset, limit, timeout = call.get("offset", 0), call.get("limit", MAX_LIMIT), max(0, call.get("timeout", 0))
    return await queue.poll(offset, limit, timeout, call.is_connected)


@handles("deleteWebhook")
def delete_webhook(call: MethodCall) -> object:
    """Bot API: deleteWebhook."""
    was_set, call.bot.webhook = call.bot.webhook is not None, None
    call.bot.webhook_error = None
    _drop_if_asked(call)
    return Described(True, "Webhook was deleted" if was_set else "Webhook is already deleted")


@handles("setWebhook")
async def set_webhook(call: MethodCall) -> object:
    """Bot API: setWebhook; only for hosts on this machine, plain http too. An empty URL deletes the webhook."""
    url = str(call.get("url", ""))
    if not url:
        return delete_webhook(call)
    secret = call.get("secret_token")
    if secret is not None and len(secret) > _LONGEST_SECRET:
        raise bad_request("secret token is too long")
    if secret and not _SECRET.fullmatch(secret):
        raise bad_request("secret token contains unallowed characters")
    if not url.lower().startswith(("http://", "https://")):
        raise bad_request("bad webhook: An HTTPS URL must be provided for webhook")
    await _require_loopback(url)
    connections = min(max(int(call.get("max_connections", 40)), 1), 100)
    call.bot.queue.allow(call.get("allowed_updates"))
    call.bot.queue.end_poll(conflict("terminated by setWebhook request"))
    wanted = WebhookSettings(url, secret or None, connections)
    is_same = call.bot.webhook == wanted
    if not is_same:
        call.bot.webhook, call.bot.webhook_error = wanted, None
    _drop_if_asked(call)
    return Described(True, "Webhook is already set" if is_same else "Webhook was set")


@handles("getWebhookInfo")
def get_webhook_info(call: MethodCall) -> object:
    """Bot API: getWebhookInfo."""
    bot = call.bot
    info: dict[str, object] = {
        "url": bot.webhook.url if bot.webhook else "",
        "has_custom_certificate": False,
        "pending_update_count": len(bot.queue.pending),
    }
    if bot.webhook is not None:
        info["max_connections"] = bot.webhook.max_connections
    if bot.queue.allowed is not None:
        info["allowed_updates"] = sorted(bot.queue.allowed)
    if bot.webhook_error is not None:
        info["last_error_date"], info["last_error_message"] = bot.webhook_error
    return info


async def _require_loopback(url: str) -> None:
    """Refuse a webhook on another machine, to which a page or a program could have updates sent."""
    try:
        host = URL(url).host
    except ValueError:
        host = None
    if not host or not await resolves_to_loopback(host):
        raise bad_request("bad webhook: the emulator sends updates to this machine only, such as to http://127.0.0.1")


def _drop_if_asked(call: MethodCall) -> None:
    if call.get("drop_pending_updates"):
        call.bot.queue.clear()
    call.world.changes.bump()
