"""How long plugins may take."""

from dataclasses import dataclass

__all__ = ["HostLimits"]


@dataclass(frozen=True, slots=True)
class HostLimits:
    """Time limits, in seconds."""

    import_seconds: float = 20.0
    """For the import of one plugin."""
    hook_seconds: float = 5.0
    """For one call of a hook that runs at start, in a thread."""
    async_seconds: float = 10.0
    """For one call of an asynchronous hook."""
    grace_seconds: float = 1.0
    """For the clean-up of an asynchronous hook that was cancelled."""
