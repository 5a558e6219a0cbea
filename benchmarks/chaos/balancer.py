"""A small load balancer between Telegram and the replicas, which also delivers updates twice and late."""

import asyncio
import random
from collections.abc import AsyncGenerator, Sequence
from contextlib import asynccontextmanager
from http import HTTPStatus
from typing import Final

import aiohttp
from aiohttp import web

__all__ = ["Balancer"]

SECONDS: Final = 30.0
"""Longest time for a replica to accept an update."""


class Balancer:
    """Passes each request to the next replica in turn, or to another one if that one refuses it.

    A part of the updates is delivered again, to another replica: at the same moment, or later, after newer ones.
    """

    def __init__(self, ports: Sequence[int], dice: random.Random, *, twice: float, latest: float = 2.0) -> None:
        """Create a balancer.

        Args:
            ports: of the replicas.
            dice: chooses what is repeated, and when.
            twice: part of the updates that are delivered again.
            latest: longest time until then, in seconds.
        """
        self._ports = list(ports)
        self._dice = dice
        self._twice = twice
        self._latest = latest
        self._next = 0
        self.passed = 0
        """Updates that a replica has accepted."""
        self.repeated = 0
        """Updates that were delivered again."""
        self.refused = 0
        """Requests that no replica has accepted; Telegram sends the update again."""

    def figures(self) -> str:
        """Return what was passed on, for the report."""
        return f"{self.passed} accepted, {self.repeated} delivered again, {self.refused} refused by all"

    @asynccontextmanager
    async def serving(self) -> AsyncGenerator[int]:
        """Listen within the block; gives the port."""
        app = web.Application()
        timeout = aiohttp.ClientTimeout(total=SECONDS)
        async with aiohttp.ClientSession(timeout=timeout) as session, asyncio.TaskGroup() as late:

            async def handle(request: web.Request) -> web.Response:
                return await self._handle(request, session, late)

            app.router.add_post("/{path:.*}", handle)
            runner = web.AppRunner(app, access_log=None)
            await runner.setup()
            await web.TCPSite(runner, "127.0.0.1", 0).start()
            try:
                yield runner.addresses[0][1]
            finally:
                await runner.cleanup()

    async def _handle(
        self, request: web.Request, session: aiohttp.ClientSession, late: asyncio.TaskGroup
    ) -> web.Response:
        body, path = await request.read(), request.path
        headers = {
            name: value for name, value in request.headers.items() if name.lower().startswith(("x-", "content-t"))
        }
        if self._dice.random() < self._twice:
            self.repeated += 1
            pause = self._dice.choice((0.0, self._dice.random() * self._latest))
            late.create_task(self._again(session, path, body, headers, pause))
        self._next += 1
        for step in range(len(self._ports)):
            port = self._ports[(self._next + step) % len(self._ports)]
            status = await self._post(session, port, path, body, headers)
            if status is not None and status < HTTPStatus.BAD_REQUEST:
                self.passed += 1
                return web.Response(status=status)
        self.refused += 1
        return web.Response(status=HTTPStatus.BAD_GATEWAY)

    async def _again(
        self, session: aiohttp.ClientSession, path: str, body: bytes, headers: dict[str, str], pause: float
    ) -> None:
        await asyncio.sleep(pause)
        await self._post(session, self._dice.choice(self._ports), path, body, headers)

    async def _post(
        self, session: aiohttp.ClientSession, port: int, path: str, body: bytes, headers: dict[str, str]
    ) -> int | None:
        """Return the status of a replica's response; None if it has none."""
        try:
            async with session.post(f"http://127.0.0.1:{port}{path}", data=body, headers=headers) as response:
                return response.status
        except (aiohttp.ClientError, TimeoutError):
            return None
