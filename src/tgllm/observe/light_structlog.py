"""structlog without rich, which structlog imports for tracebacks that this log does not have: a third of its import."""

import sys

__all__ = ["structlog"]

if "rich" in sys.modules:
    import structlog
else:
    # None makes an import raise ImportError, which structlog is prepared for.
    sys.modules["rich"] = None  # type: ignore[assignment]
    try:
        import structlog
    finally:
        del sys.modules["rich"]
