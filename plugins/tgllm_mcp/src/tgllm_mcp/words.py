"""What is wrong with a server, in words, without secrets."""

import re
from collections.abc import Iterable, Iterator
from typing import cast
from urllib.parse import urlsplit

from tgllm_mcp.naming import clean_text
from tgllm_mcp.settings import Server

__all__ = ["Secrets", "explain", "leaves"]

_SHORTEST = 5
_LONGEST = 300


class Secrets:
    """The secrets of a server, which its own texts may repeat."""

    def __init__(self, values: Iterable[str], url: str | None = None) -> None:
        parts = urlsplit(url or "")
        login = parts.netloc.rpartition("@")[0].split(":")
        pieces = {piece for value in (*values, *login) for piece in (value, *value.split())}
        pieces.update(value for _, _, value in (pair.partition("=") for pair in parts.query.split("&")))
        self._secrets = sorted((piece for piece in pieces if len(piece) >= _SHORTEST), key=len, reverse=True)

    def hide(self, text: str) -> str:
        """Return a text without them."""
        for secret in self._secrets:
            text = text.replace(secret, "[hidden]")
        return text


def leaves(error: BaseException) -> Iterator[BaseException]:
    """Yield the errors inside of a group, or the error itself."""
    if isinstance(error, BaseExceptionGroup):
        for member in cast("BaseExceptionGroup[BaseException]", error).exceptions:
            yield from leaves(member)
    else:
        yield error


def explain(name: str, error: BaseException, server: Server, status: int | None = None) -> str:
    """Return why a server can't be used, as the end of a sentence that begins with its name.

    Args:
        name: its name.
        error: what its connection has ended with.
        server: its settings.
        status: the last HTTP status that was an error.
    """
    found = next(iter(leaves(error)), error)
    detail = clean_text(re.sub(r"\s+", " ", str(found)), _LONGEST)
    kind = type(found).__name__  # by name: the SDK may not be loaded
    if kind == "Ended" or (kind == "MCPError" and status is None):
        return detail or "it has answered with an error"
    if kind in {"ConnectError", "ConnectTimeout"}:
        return f"there is no connection to {server.place}: is it running, and is the address right?"
    if kind in {"ReadError", "RemoteProtocolError", "WriteError"}:
        return f"the connection to {server.place} was lost"
    if status is not None and kind != "NeedsSignIn":
        return _by_status(name, status, server)
    if isinstance(found, TimeoutError):
        return f"it has not answered in {server.connect_timeout:g} seconds (connect_timeout)"
    if isinstance(found, OSError) and server.command is not None:
        return _not_started(found, server, detail)
    known = {
        "NeedsSignIn": f"sign in with /mcp login {name}",
        "MissingVariable": f"{detail}; it is used in its settings",
        "ValidationError": f"its answer breaks the protocol: {detail}",
    }
    return known.get(kind, f"{kind}: {detail}" if detail else kind)


def _by_status(name: str, status: int, server: Server) -> str:
    if status in {401, 403}:
        hint = (
            f"sign in with /mcp login {name}"
            if server.oauth
            else "check its headers in the settings, or set oauth = true"
        )
        return f"it has refused the request with HTTP {status}: {hint}"
    return f"it has answered with HTTP {status}: check the address of its MCP endpoint, which often ends in /mcp"


def _not_started(error: OSError, server: Server, detail: str) -> str:
    if server.cwd is not None and not server.cwd.is_dir():
        return f"its folder {server.cwd} does not exist"
    if isinstance(error, FileNotFoundError):
        return f"its program {server.place} is not found: install it, or set command to its full path"
    if isinstance(error, PermissionError):
        return f"its program {server.place} may not be run by the bot's user"
    return f"its program {server.place} can't be started: {detail}"
