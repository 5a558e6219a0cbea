"""``/mcp`` in the chat: the state of the servers, and signing in at them."""

from typing import TYPE_CHECKING

from tgllm.api.buttons import Button
from tgllm.api.commands import ChatCommand, CommandCall, Reply
from tgllm.api.context import PluginContext
from tgllm_mcp.signing import NeedsSignIn, WrongAddress

if TYPE_CHECKING:
    from collections.abc import Callable

    from tgllm_mcp.owner import Owner
    from tgllm_mcp.servers import Servers

__all__ = ["command"]

_CONNECT_SECONDS = 30.0
"""Seconds for which the reply waits for the connection after a sign-in."""


def command(ctx: PluginContext, running: "Callable[[], Servers | None]") -> ChatCommand:
    """Return the command.

    Args:
        ctx: context of the plugin.
        running: returns the servers while the bot runs.
    """

    async def handle(call: CommandCall) -> Reply | str:
        servers = running()
        if servers is None:
            return _text(call, "not_running")
        word, _, rest = call.args.partition(" ")
        match word.lower(), rest.strip():
            case "", _:
                return "\n".join([_text(call, "servers"), "", *(_state(call, one) for one in servers.owners.values())])
            case (("login" | "code"), str(value)) if value:
                if not call.chat.is_private:
                    return _text(call, "private_only")
                return await (_login if word.lower() == "login" else _code)(call, servers, value)
            case _:
                return _text(call, "usage")

    return ChatCommand(
        "mcp",
        ctx.texts("mcp.command"),
        handle,
        access="admin",
        descriptions={"ru": ctx.texts("mcp.command", "ru")},
    )


async def _login(call: CommandCall, servers: "Servers", name: str) -> Reply | str:
    owner = servers.owners.get(name)
    if owner is None:
        return _text(call, "unknown", server=name[:40])
    if not owner.server.oauth:
        return _text(call, "no_oauth", server=name)
    owner.sign_in.begin()
    owner.retry()
    try:
        url = await owner.sign_in.link()
    except NeedsSignIn:
        owner.sign_in.cancel()
        if owner.state == "ready":
            return _state(call, owner)
        return _text(call, "no_link", server=name, reason=owner.failure or "timeout")
    return Reply(_text(call, "link"), buttons=[[Button(_text(call, "link_button", server=name), url=url)]])


async def _code(call: CommandCall, servers: "Servers", address: str) -> Reply | str:
    for owner in servers.owners.values():
        if owner.sign_in.is_running:
            owner.tried.clear()
            try:
                owner.sign_in.finish(address)
            except WrongAddress:
                continue
            await owner.wait(_CONNECT_SECONDS)
            if owner.state == "ready" and owner.listed is not None:
                return _text(call, "signed_in", server=owner.name, count=len(owner.listed.specs))
            return _text(call, "not_signed_in", server=owner.name, reason=owner.failure or owner.reason)
    return _text(call, "wrong_address")


def _state(call: CommandCall, owner: "Owner") -> str:
    if owner.state == "ready" and owner.listed is not None:
        return _text(call, "ready", server=owner.name, count=len(owner.listed.specs))
    if owner.needs_sign_in:
        return _text(call, "sign_in_needed", server=owner.name)
    if owner.failure:
        return _text(call, "failed", server=owner.name, reason=owner.failure)
    return _text(call, "connecting", server=owner.name)


def _text(call: CommandCall, key: str, **values: object) -> str:
    return call.context.texts(f"mcp.{key}", call.user.language, **values)
