"""Connections to the databases of the tests that are used again by the next test.

A new connection is a new process of the server, which reads its catalogues and plans all statements anew: that takes
more time than the statements of a test. So a connection that a test closes is kept for the same database.
"""

import threading
from collections import defaultdict
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

import pytest

if TYPE_CHECKING:
    import psycopg

    Opened = psycopg.Connection[Any]

__all__ = ["KEPT", "Connections"]


@dataclass(slots=True)
class Connections:
    """Closed connections that are open still, by the name of the database and how they were opened."""

    _free: "defaultdict[str, list[tuple[object, Opened, Callable[[], None]]]]" = field(
        default_factory=lambda: defaultdict(list)
    )
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def pids(self, name: str) -> Sequence[int]:
        """Return the numbers of the server's processes behind the kept connections to a database."""
        with self._lock:
            return [conn.info.backend_pid for _, conn, _ in self._free[name]]

    def drop(self, name: str) -> None:
        """Close the kept connections to a database."""
        with self._lock:
            found = self._free.pop(name, [])
        for _, _, close in found:
            close()

    def _take(self, name: str, kind: object) -> "Opened | None":
        with self._lock:
            for place, (found, conn, _) in enumerate(self._free[name]):
                if found == kind:
                    del self._free[name][place]
                    return conn
        return None

    def _keep(self, name: str, kind: object, conn: "Opened", close: Callable[[], None]) -> None:
        from psycopg.pq import TransactionStatus  # noqa: PLC0415  only where there is a server

        if conn.closed or conn.info.transaction_status != TransactionStatus.IDLE:
            close()
            return
        with self._lock:
            if all(kept is not conn for _, kept, _ in self._free[name]):
                self._free[name].append((kind, conn, close))

    @contextmanager
    def used(self, is_ours: Callable[[str], bool]) -> Iterator[None]:
        """Within the block, ``tgllm.db.postgres.store`` takes kept connections to the databases that are ours."""
        from tgllm.db.postgres import store  # noqa: PLC0415  only where there is a server

        real = store.connect

        def connect(url: str, **options: Any) -> "Opened":
            name, kind = urlsplit(url).path[1:], (url, tuple(sorted(options.items())))
            if not is_ours(url):
                return real(url, **options)
            if (kept := self._take(name, kind)) is not None:
                return kept
            conn = real(url, **options)
            close = conn.close
            conn.close = lambda: self._keep(name, kind, conn, close)
            return conn

        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(store, "connect", connect)
            yield


KEPT = Connections()
"""Those of this process."""
