"""Downloads of files: what was fetched, and injected faults."""

import asyncio
from dataclasses import dataclass, field
from enum import Enum, auto

__all__ = ["DownloadFault", "DownloadFaultKind", "Downloads", "FileDownload"]


class DownloadFaultKind(Enum):
    """What a fault does with the response."""

    CUT = auto()
    END = auto()
    HOLD = auto()
    STATUS = auto()
    WHOLE = auto()
    SHIFTED = auto()


@dataclass(slots=True, eq=False)
class DownloadFault:
    """A fault of ``/file/bot<token>/<path>``; created by the class methods below.

    ``times`` is the number of affected downloads, None for all until it is removed; ``hits`` is their number so far;
    ``reached`` is set when the fault takes effect.
    """

    kind: DownloadFaultKind
    after: int = 0
    status: int = 200
    retry_after: int | None = None
    times: int | None = 1
    hits: int = 0
    reached: asyncio.Event = field(default_factory=asyncio.Event)
    released: asyncio.Event = field(default_factory=asyncio.Event)

    @classmethod
    def cut(cls, after: int, *, times: int | None = 1) -> "DownloadFault":
        """Close the connection after so many bytes of the response's body."""
        return cls(DownloadFaultKind.CUT, after, times=times)

    @classmethod
    def end(cls, after: int, *, times: int | None = 1) -> "DownloadFault":
        """Send no Content-Length, and end the body in order after so many bytes."""
        return cls(DownloadFaultKind.END, after, times=times)

    @classmethod
    def hold(cls, after: int = 0, *, times: int | None = 1) -> "DownloadFault":
        """Send nothing more after so many bytes, until ``release()``."""
        return cls(DownloadFaultKind.HOLD, after, times=times)

    @classmethod
    def fail(cls, status: int, *, retry_after: int | None = None, times: int | None = 1) -> "DownloadFault":
        """Respond with an error status, such as 404 for a path that has expired, and 429."""
        return cls(DownloadFaultKind.STATUS, status=status, retry_after=retry_after, times=times)

    @classmethod
    def ignore_range(cls, *, times: int | None = None) -> "DownloadFault":
        """Respond with the whole file to a request for a range."""
        return cls(DownloadFaultKind.WHOLE, times=times)

    @classmethod
    def shift_range(cls, *, times: int | None = 1) -> "DownloadFault":
        """Respond to a request for a range with the range that begins one byte later."""
        return cls(DownloadFaultKind.SHIFTED, times=times)

    def release(self) -> None:
        """Continue the held downloads; later ones are not held."""
        self.released.set()


@dataclass(slots=True, eq=False)
class FileDownload:
    """A download: the path, the first byte asked for, the status, and the bytes sent."""

    path: str
    start: int
    status: int = 0
    sent: int = 0


class Downloads(list[FileDownload]):
    """All downloads in order, and the active faults: the first one takes effect."""

    def __init__(self) -> None:
        super().__init__()
        self._faults: list[DownloadFault] = []

    def add_fault(self, fault: DownloadFault) -> DownloadFault:
        """Activate a fault, and return it. A fault of ranges leaves alone what asks for a whole file."""
        self._faults.append(fault)
        return fault

    def clear_faults(self) -> None:
        """Deactivate all faults; held downloads continue."""
        for fault in self._faults:
            fault.release()
        self._faults.clear()

    def take_fault(self, *, is_range: bool) -> DownloadFault | None:
        """Return the fault for this download, or None; it is counted as a hit."""
        of_ranges = {DownloadFaultKind.WHOLE, DownloadFaultKind.SHIFTED}
        fault = next((each for each in self._faults if is_range or each.kind not in of_ranges), None)
        if fault is not None:
            fault.hits += 1
            if fault.times is not None and fault.hits >= fault.times:
                self._faults.remove(fault)
        return fault
