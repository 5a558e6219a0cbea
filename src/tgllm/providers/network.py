"""The switch that forbids requests to real services: tests turn it on, so that none costs money."""

import ipaddress
import os

from tgllm.api.errors import ConfigError

__all__ = ["VARIABLE", "check_request", "is_loopback", "real_requests_allowed"]

VARIABLE = "TGLLM_ALLOW_REAL_REQUESTS"
"""The environment variable of the switch; inherited by the processes that a test starts."""


def real_requests_allowed() -> bool:
    """Whether providers may reach other machines: yes, unless the variable says ``0``, ``false`` or ``no``."""
    return os.environ.get(VARIABLE, "").strip().lower() not in {"0", "false", "no"}


def is_loopback(host: str) -> bool:
    """Whether a host, by name or address, is this machine."""
    try:
        return ipaddress.ip_address(host.strip("[]")).is_loopback
    except ValueError:
        return host == "localhost" or host.endswith(".localhost")


def check_request(host: str) -> None:
    """Allow a request to ``host``, or not.

    Raises:
        ConfigError: requests to other machines are forbidden, and ``host`` is one.
    """
    if not real_requests_allowed() and not is_loopback(host):
        raise ConfigError(
            f"a request to {host} is forbidden here ({VARIABLE} is off): "
            "point base_url at a fake server on this machine, or set the variable to 1",
        )
