"""Serving of the chat page, which consists of static files of this package."""

from collections.abc import Mapping
from functools import cache
from importlib import resources

from aiohttp import web

__all__ = ["add_page_routes"]

_TYPES = {".html": "text/html", ".css": "text/css", ".js": "text/javascript"}
_HEADERS = {
    "Content-Security-Policy": (
        "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' blob: data:; connect-src 'self'; "
        "form-action 'none'; frame-ancestors 'none'; base-uri 'none'"
    ),
    "Referrer-Policy": "no-referrer",
    "X-Content-Type-Options": "nosniff",
    "Cache-Control": "no-cache",
}


# Many tests start an emulator, and few look at the page.
@cache
def _read_files() -> Mapping[str, tuple[str, str]]:
    """Return content type and text of the page's files, by name."""
    folder = resources.files("tgllm.testing.emulator") / "page"
    found: dict[str, tuple[str, str]] = {}
    for file in folder.iterdir():
        content_type = _TYPES.get(f".{file.name.rpartition('.')[2]}")
        if content_type is not None:
            found[file.name] = (content_type, file.read_text(encoding="utf-8"))
    return found


def add_page_routes(app: web.Application) -> None:
    """Serve the page at ``/`` and its files under ``/page/``."""
    files = _read_files()

    async def serve(request: web.Request) -> web.Response:
        file = files.get(request.match_info.get("name", "index.html"))
        if file is None:
            raise web.HTTPNotFound
        content_type, text = file
        return web.Response(text=text, content_type=content_type, charset="utf-8", headers=_HEADERS)

    app.router.add_get("/", serve)
    app.router.add_get("/page/{name}", serve)
