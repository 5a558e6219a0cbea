"""Listening on the port of a server, and the sentences about ports that can't be used."""

import asyncio
import errno
import socket
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from typing import Final

from aiohttp import web

from tgllm.api import ConfigError

__all__ = ["listening"]

STOP_SECONDS: Final = 2.0
"""How long a shutdown waits for answers under way."""


@asynccontextmanager
async def listening(server: web.Server, host: str, port: int, section: str) -> AsyncGenerator[int]:
    """Accept connections while the block runs, and yield the port.

    Args:
        server: answers the requests.
        host: the address to listen on.
        port: 0 takes a free one.
        section: the table of the settings with the address and the port.

    Raises:
        ConfigError: the address or the port can't be used.
    """
    loop = asyncio.get_running_loop()
    runner = web.ServerRunner(server, shutdown_timeout=STOP_SECONDS)
    await runner.setup()
    try:
        try:
            await web.TCPSite(runner, host, port).start()
        except OSError as error:
            raise ConfigError(_reason(error, host, port, section)) from error
        yield runner.addresses[0][1]
    finally:
        await runner.cleanup()
        # Their transports are closed in the next iteration of the loop.
        await asyncio.wait_for(_next_iteration(loop), STOP_SECONDS)


def _next_iteration(loop: asyncio.AbstractEventLoop) -> "asyncio.Future[None]":
    done = loop.create_future()
    loop.call_soon(done.set_result, None)
    return done


def _reason(error: OSError, host: str, port: int, section: str) -> str:
    variable = f"TGLLM_{section.upper()}__"
    if isinstance(error, socket.gaierror) or error.errno == errno.EADDRNOTAVAIL:
        words = f"{host} is no address of this machine. Set {variable}HOST=127.0.0.1, or 0.0.0.0 for all."
        return f"{section}.host: {words}"
    match error.errno:
        case errno.EADDRINUSE:
            words = (
                f"port {port} on {host} is taken by another program. Stop that program, or set another port with "
                f"{variable}PORT, such as {port + 1 if port < 65_535 else 9200}."
            )
        case errno.EACCES | errno.EPERM:
            words = f"this user may not listen on port {port}. Set {variable}PORT to one from 1024 up."
        case _:
            words = f"the server can't listen on {host}, port {port}: {error.strerror or type(error).__name__}."
    return f"{section}.port: {words}"
