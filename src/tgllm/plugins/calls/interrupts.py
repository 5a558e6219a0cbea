"""Keyboard interrupts: those of a person, and those that plugin code raises itself."""

from types import TracebackType

__all__ = ["is_of_person"]


def is_of_person(error: BaseException) -> bool:
    """Whether a ``KeyboardInterrupt`` comes from Ctrl-C in a shell command.

    asyncio's runner handles the signal there and raises the exception in its own function. The running bot handles the
    signal itself (``tgllm.app``), so no interrupt in it comes from a person.
    """
    return isinstance(error, KeyboardInterrupt) and _raised_in(error.__traceback__) == "asyncio.runners"


def _raised_in(traceback: TracebackType | None) -> str:
    """Return the name of the module whose code raised the exception."""
    name = ""
    while traceback is not None:
        name = str(traceback.tb_frame.f_globals.get("__name__"))
        traceback = traceback.tb_next
    return name
