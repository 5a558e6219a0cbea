"""getUpdates and the webhook methods."""

from tgllm.testing.emulator.errors import conflict
from tgllm.testing.emulator.methods.call import MethodCall
from tgllm.testing.emulator.methods.registry import handles
from tgllm.testing.emulator.updates import MAX_LIMIT

__all__ = ["get_updates"]

_WEBHOOK_ACTIVE = "can't use getUpdates method while webhook is active; use deleteWebhook to delete the webhook first"


@handles("getUpdates")
async def get_updates(call: MethodCall) -> object:
    """Bot API: getUpdates."""
    if call.bot.webhook is not None:
        raise conflict(_WEBHOOK_ACTIVE)
    queue = call.bot.queue
    queue.allow(call.get("allowed_updates"))
    return await queue.poll(call.get("offset", 0), call.get("limit", MAX_LIMIT), max(0, call.get("timeout", 0)))


@handles("deleteWebhook")
def delete_webhook(call: MethodCall) -> object:
    """Bot API: deleteWebhook."""
    call.bot.webhook = None
    if call.get("drop_pending_updates"):
        call.bot.queue.clear()
    call.world.changes.bump()
    return True
