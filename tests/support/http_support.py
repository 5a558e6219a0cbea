"""Types of the fixtures that serve HTTP."""

from collections.abc import Awaitable, Callable

from aiohttp import web

Handler = Callable[[web.BaseRequest], Awaitable[web.StreamResponse]]
"""Answers a request."""
Serve = Callable[[Handler], Awaitable[str]]
"""Starts a server with one handler for everything, and returns its address."""
