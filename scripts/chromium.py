"""Headless Chromium, driven by the Chrome DevTools Protocol, for pictures of pages."""

import asyncio
import base64
import itertools
import json
import shutil
import tempfile
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any, Final

from aiohttp import ClientSession, ClientWebSocketResponse

__all__ = ["Page", "open_page"]

_NAMES: Final = ("chromium", "chromium-browser", "google-chrome", "chrome")
_FLAGS: Final = (
    "--headless=new",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--hide-scrollbars",
    "--disable-background-networking",
    "--remote-debugging-port=0",
)
_START_SECONDS: Final = 60.0
_STEP: Final = 0.05


class Page:
    """A page of a certain size."""

    def __init__(self, socket: ClientWebSocketResponse) -> None:
        """Drive the page behind a socket of the DevTools protocol."""
        self._socket = socket
        self._numbers = itertools.count(1)

    async def call(self, method: str, **params: object) -> dict[str, Any]:
        """Call a method of the protocol, and return its result."""
        number = next(self._numbers)
        await self._socket.send_json({"id": number, "method": method, "params": params})
        async for message in self._socket:
            answer = json.loads(message.data)
            if answer.get("id") == number:
                if "error" in answer:
                    raise RuntimeError(f"{method}: {answer['error']['message']}")
                return answer["result"]
        raise RuntimeError("Chromium has closed the connection")

    async def picture(self) -> bytes:
        """Return the page as it looks now, as PNG."""
        return base64.b64decode((await self.call("Page.captureScreenshot", format="png"))["data"])


@asynccontextmanager
async def open_page(url: str, *, width: int, height: int, scale: float = 1.0) -> AsyncGenerator[Page]:
    """Show a page in a new Chromium of ``width`` x ``height`` CSS pixels, each ``scale`` pixels of a picture wide."""
    program = next(filter(None, map(shutil.which, _NAMES)), None)
    if program is None:
        raise SystemExit("Chromium is needed for pictures of pages, and is not installed.")
    with tempfile.TemporaryDirectory(prefix="tgllm-chromium-", ignore_cleanup_errors=True) as folder:
        process = await asyncio.create_subprocess_exec(
            program,
            *_FLAGS,
            f"--user-data-dir={folder}",
            f"--window-size={width},{height}",
            "about:blank",
            stdout=asyncio.subprocess.DEVNULL,
            stderr=asyncio.subprocess.DEVNULL,
        )
        try:
            port = await _port(Path(folder) / "DevToolsActivePort")
            async with ClientSession() as session:
                async with session.get(f"http://127.0.0.1:{port}/json/list") as response:
                    (target,) = [each for each in await response.json() if each["type"] == "page"]
                async with session.ws_connect(target["webSocketDebuggerUrl"], max_msg_size=0) as socket:
                    page = Page(socket)
                    size = {"width": width, "height": height, "deviceScaleFactor": scale, "mobile": False}
                    await page.call("Emulation.setDeviceMetricsOverride", **size)
                    await page.call("Page.navigate", url=url)
                    yield page
        finally:
            process.terminate()
            await process.wait()


async def _port(file: Path) -> int:
    """Return the port of the protocol, which Chromium writes into a file."""
    async with asyncio.timeout(_START_SECONDS):
        while not (lines := _lines(file)):  # noqa: ASYNC110  another process writes the file
            await asyncio.sleep(_STEP)
    return int(lines[0])


def _lines(file: Path) -> list[str]:
    return file.read_text(encoding="utf-8").split() if file.exists() else []
