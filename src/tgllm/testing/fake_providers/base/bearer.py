"""The key in the header Authorization."""

from aiohttp import web

__all__ = ["bearer_token"]


def bearer_token(request: web.Request) -> str | None:
    """What stands behind ``Bearer``; None if there is no such header."""
    scheme, _, token = request.headers.get("Authorization", "").partition(" ")
    return token.strip() if scheme.lower() == "bearer" else None
