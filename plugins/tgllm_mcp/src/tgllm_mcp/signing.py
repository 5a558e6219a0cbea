"""Signing in at a server by a link, for servers with OAuth.

No page of the server leads back to the bot, which need not be reachable: at the end the browser is sent to an address
where nothing needs to listen, and the admin copies that address into the chat.
"""

import asyncio
import secrets
from urllib.parse import parse_qs, urlsplit

from tgllm.api.errors import TgllmError

__all__ = ["LINK_SECONDS", "SIGN_IN_SECONDS", "NeedsSignIn", "SignIn", "WrongAddress"]

LINK_SECONDS = 30.0
"""Timeout for the address of the server's page."""
SIGN_IN_SECONDS = 600.0
"""Seconds for the person to sign in."""


class NeedsSignIn(TgllmError):
    """An admin has to sign in: /mcp login and the server's name."""


class WrongAddress(TgllmError):
    """The address is not the one to which the page has led."""


class SignIn:
    """Signing in at one server: at most one person at a time, from the link to the address at the end."""

    def __init__(self) -> None:
        self._link: asyncio.Future[str] | None = None
        self._address: asyncio.Future[tuple[str, str | None, str | None]] | None = None
        self._state = ""

    @property
    def is_running(self) -> bool:
        """Whether a sign-in is in progress."""
        return self._address is not None and not self._address.done()

    def begin(self) -> None:
        """Let the next connection ask for a sign-in; an earlier one ends."""
        self.cancel()
        loop = asyncio.get_running_loop()
        self._link, self._address = loop.create_future(), loop.create_future()

    def cancel(self) -> None:
        """End the sign-in."""
        for future in (self._link, self._address):
            if future is not None:
                future.cancel()
        self._link = self._address = None

    async def link(self) -> str:
        """Wait for the address of the page, and return it.

        Raises:
            NeedsSignIn: the server sends none in time, or no sign-in has begun.
        """
        if self._link is None:
            raise NeedsSignIn
        done, _ = await asyncio.wait({self._link}, timeout=LINK_SECONDS)
        if not done or self._link.cancelled():
            raise NeedsSignIn("The server has not asked for a sign-in")
        return self._link.result()

    def finish(self, address: str) -> None:
        """Go on with the address to which the page has led.

        Raises:
            WrongAddress: it has no code, or belongs to another sign-in; this one goes on waiting.
        """
        if self._address is None or self._address.done():
            raise WrongAddress("Nothing waits for it")
        try:
            values = parse_qs(urlsplit(address.strip()).query)
        except ValueError:
            values = {}
        code, state, issuer = (values.get(name, [""])[0] for name in ("code", "state", "iss"))
        # The SDK compares it too, but would end the connection for a wrong one.
        if not code or not secrets.compare_digest(state.encode(), self._state.encode()):
            raise WrongAddress
        self._address.set_result((code, state, issuer or None))

    async def show(self, url: str) -> None:
        """Take the address of the page from the SDK.

        Raises:
            NeedsSignIn: no sign-in has begun, or its page is known already.
        """
        if self._link is None or self._link.done():
            raise NeedsSignIn
        self._state = parse_qs(urlsplit(url).query).get("state", [""])[0]
        self._link.set_result(url)

    async def answer(self) -> tuple[str, str | None, str | None]:
        """Return code, state and issuer, once the person has signed in.

        Raises:
            NeedsSignIn: the person has not, in time.
        """
        if self._address is None:
            raise NeedsSignIn
        done, _ = await asyncio.wait({self._address}, timeout=SIGN_IN_SECONDS)
        if not done or self._address.cancelled():
            raise NeedsSignIn
        return self._address.result()
