"""Time limits for plugin code."""

from dataclasses import dataclass

__all__ = ["HostLimits"]


@dataclass(frozen=True, slots=True)
class HostLimits:
    """Time limits, in seconds."""

    import_seconds: float = 20.0
    """Import of one plugin."""
    hook_seconds: float = 5.0
    """One call of a hook that runs at startup, in a thread."""
    async_seconds: float = 10.0
    """One call of an asynchronous hook."""
    grace_seconds: float = 1.0
    """Clean-up of a cancelled asynchronous hook."""
