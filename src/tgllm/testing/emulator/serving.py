"""HTTP server of a world: its port and its background tasks."""

import asyncio

from aiohttp import web

from tgllm.testing.emulator.control.http import HttpControl
from tgllm.testing.emulator.page.routes import add_page_routes
from tgllm.testing.emulator.protocol.errors import ConnectionCutError
from tgllm.testing.emulator.server.bot_api import MAX_REQUEST_BYTES, BotApi
from tgllm.testing.emulator.server.loopback import only_from_here
from tgllm.testing.emulator.server.webhook import push_updates
from tgllm.testing.emulator.world.reaper import expire_drafts
from tgllm.testing.emulator.world.world import World

__all__ = ["HOST", "Serving"]

HOST = "127.0.0.1"
# Waiting calls (a long poll, a held call) are cut at once; responses that are being written have this many seconds.
_SHUTDOWN_SECONDS = 0.05


class Serving:
    """HTTP server of a world on the loopback interface; ``port`` 0 is replaced by a free one at the first start."""

    def __init__(self, world: World, port: int, control_key: str) -> None:
        self.port = port
        self._world = world
        self._control_key = control_key
        self._runner: web.AppRunner | None = None
        self._tasks: list[asyncio.Task[None]] = []

    async def start(self) -> None:
        """Bind the port. Raises OSError if it is in use."""
        if self._runner is not None:
            return
        runner = web.AppRunner(self._app(), access_log=None, shutdown_timeout=_SHUTDOWN_SECONDS)
        await runner.setup()
        try:
            await web.TCPSite(runner, HOST, self.port).start()
        except OSError:
            await runner.cleanup()
            raise
        self._runner = runner
        self.port = int(runner.addresses[0][1])
        self._tasks = [
            asyncio.create_task(expire_drafts(self._world)),
            asyncio.create_task(push_updates(self._world)),
        ]

    async def stop(self) -> None:
        """Close the port and all connections; waiting calls are cut."""
        runner, self._runner = self._runner, None
        if runner is None:
            return
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        for bot in self._world.bots.values():
            bot.queue.end_poll(ConnectionCutError())
        await runner.cleanup()

    def _app(self) -> web.Application:
        app = web.Application(client_max_size=MAX_REQUEST_BYTES, middlewares=[only_from_here])
        BotApi(self._world).add_routes(app)
        HttpControl(self._world, self._control_key).add_routes(app)
        add_page_routes(app)
        return app
