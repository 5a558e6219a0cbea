"""API key in the header Authorization."""

from aiohttp import web

__all__ = ["bearer_token"]


def bearer_token(request: web.Request) -> str | None:
    """Return the bearer token of the header Authorization; None without one."""
    scheme, _, token = request.headers.get("Authorization", "").partition(" ")
    return token.strip() if scheme.lower() == "bearer" else None
