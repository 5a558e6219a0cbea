"""The port of a fake."""

from aiohttp import web

__all__ = ["HOST", "Serving"]

HOST = "127.0.0.1"
_SHUTDOWN_SECONDS = 0.05


class Serving:
    """One application on one port of the loopback interface; ``port`` 0 becomes a free one at the first start."""

    def __init__(self, port: int) -> None:
        self.port = port
        self.stopping = False
        self._runner: web.AppRunner | None = None

    @property
    def connections(self) -> int:
        """Connections that clients hold open, idle ones included."""
        server = self._runner.server if self._runner is not None else None
        return len(server.connections) if server is not None else 0

    async def start(self, app: web.Application) -> None:
        """Bind the port. Raises OSError when it is taken."""
        # A handler is cancelled when its client hangs up: that is how a closed connection is seen while nothing
        # is written.
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
