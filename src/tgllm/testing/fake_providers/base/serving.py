"""Port of a fake server."""

from aiohttp import web

__all__ = ["HOST", "Serving"]

HOST = "127.0.0.1"
_SHUTDOWN_SECONDS = 0.05


class Serving:
    """HTTP server on the loopback interface; ``port`` 0 is replaced by a free one at the first start."""

    def __init__(self, port: int) -> None:
        self.port = port
        self.stopping = False
        self._runner: web.AppRunner | None = None

    @property
    def connections(self) -> int:
        """Number of open connections, including idle ones."""
        server = self._runner.server if self._runner is not None else None
        return len(server.connections) if server is not None else 0

    async def start(self, app: web.Application) -> None:
        """Bind the port. Raises OSError if it is in use."""
        # handler_cancellation: a handler is cancelled if its client disconnects, the only sign of that without writes.
        runner = web.AppRunner(app, handler_cancellation=True, access_log=None, shutdown_timeout=_SHUTDOWN_SECONDS)
        await runner.setup()
        try:
            await web.TCPSite(runner, HOST, self.port).start()
        except OSError:
            await runner.cleanup()
            raise
        self.stopping = False
        self._runner = runner
        self.port = int(runner.addresses[0][1])

    async def stop(self) -> None:
        """Close the port and all connections."""
        runner, self._runner = self._runner, None
        self.stopping = True
        if runner is not None:
            await runner.cleanup()
