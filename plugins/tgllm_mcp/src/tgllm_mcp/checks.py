"""Checks of the servers for ``tgllm doctor``."""

import os
import shutil
from collections.abc import Sequence

from tgllm.api.context import Check
from tgllm.providers.proxies import proxy_check
from tgllm_mcp.settings import MissingVariable, Server, Settings, filled

__all__ = ["checks"]


def checks(settings: Settings) -> Sequence[Check]:
    """Return a check for each server: whether its variables are set and its program is there. Nothing is connected."""
    if not settings.servers:
        return (Check("MCP", "not configured", "add a server to the config, in [plugins.mcp.servers.NAME]"),)
    found: list[Check] = []
    for name, server in settings.servers.items():
        found.append(_check(f"MCP: {name}", server))
        if server.enabled and server.url is not None:
            found.append(proxy_check(f"MCP: {name}", server.url))
    return found


def _check(title: str, server: Server) -> Check:
    if not server.enabled:
        return Check(title, "not configured", "it is switched off by enabled = false")
    try:
        filled({**server.env, **server.headers}, os.environ)
    except MissingVariable as error:
        return Check(title, "failed", f"{error}: set it for the bot, or change the settings of the server")
    if server.command is not None:
        if server.cwd is not None and not server.cwd.is_dir():
            return Check(title, "failed", f"there is no folder {server.cwd} (cwd)")
        if shutil.which(server.command, path=None) is None:
            return Check(
                title, "failed", f"the program {server.place} is not found: install it, or set command to its full path"
            )
    elif server.url is not None and server.url.startswith("http://") and server.headers and not _is_near(server.url):
        return Check(title, "warning", "its headers are sent unencrypted: use https")
    return Check(title, "ok", f"{server.place}; see which tools it has: tgllm mcp list")


def _is_near(url: str) -> bool:
    return url.removeprefix("http://").startswith(("127.", "localhost", "[::1]"))
