"""A server on this machine that says what a test tells it to."""

from collections.abc import AsyncIterator

import pytest
from aiohttp.test_utils import RawTestServer

from http_support import Handler, Serve


@pytest.fixture
async def serve() -> AsyncIterator[Serve]:
    """Starts a server with one handler for everything; gives its address."""
    servers: list[RawTestServer] = []

    async def start(handler: Handler) -> str:
        server = RawTestServer(handler, host="127.0.0.1")
        servers.append(server)
        await server.start_server()
        return str(server.make_url("/")).rstrip("/")

    yield start
    for server in servers:
        await server.close()
