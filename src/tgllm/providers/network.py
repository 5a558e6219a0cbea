"""Switch that forbids requests to real services, for tests."""

import ipaddress
import os

from tgllm.api.errors import ConfigError

__all__ = ["VARIABLE", "check_request", "is_loopback", "real_requests_allowed"]

VARIABLE = "TGLLM_ALLOW_REAL_REQUESTS"
"""Environment variable of the switch; inherited by subprocesses of a test."""


def real_requests_allowed() -> bool:
    """Return whether providers may reach other machines; the variable forbids it with ``0``, ``false`` or ``no``."""
    return os.environ.get(VARIABLE, "").strip().lower() not in {"0", "false", "no"}


def is_loopback(host: str) -> bool:
    """Return whether a host name or address is this machine."""
    try:
        return ipaddress.ip_address(host.strip("[]")).is_loopback
    except ValueError:
        return host == "localhost" or host.endswith(".localhost")


def check_request(host: str) -> None:
    """Check that a request to ``host`` is allowed.

    Raises:
        ConfigError: requests to other machines are forbidden, and ``host`` is another machine.
    """
    if not real_requests_allowed() and not is_loopback(host):
        raise ConfigError(
            f"a request to {host} is forbidden here ({VARIABLE} is off): "
            "point base_url at a fake server on this machine, or set the variable to 1",
        )
