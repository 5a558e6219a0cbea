"""Registry of method implementations."""

from collections.abc import Awaitable, Callable

from tgllm.testing.emulator.methods.call import MethodCall

__all__ = ["HANDLERS", "Handler", "handles"]

Handler = Callable[[MethodCall], object | Awaitable[object]]

HANDLERS: dict[str, Handler] = {}


def handles(*names: str) -> Callable[[Handler], Handler]:
    """Register a function as the implementation of these methods, spelled as in the Bot API."""

    def register(handler: Handler) -> Handler:
        for name in names:
            HANDLERS[name] = handler
        return handler

    return register
