"""``python -m benchmarks.load.unsynced run``: tgllm whose commits never wait for the disk; only for measurements."""

from contextlib import nullcontext

from tgllm.cli.main import run
from tgllm.db.engine import batch, sqlite


def _without_fsync() -> None:
    pragmas = tuple(pragma.replace("synchronous = FULL", "synchronous = OFF") for pragma in sqlite.PRAGMAS)
    if pragmas == sqlite.PRAGMAS:
        raise RuntimeError("the setting of SQLite has another name")
    setattr(sqlite, "PRAGMAS", pragmas)  # noqa: B010  a constant, which a type checker guards
    # Otherwise a commit that need not wait sets FULL again at its end.
    setattr(batch, "_sync", lambda _conn, *, wait: nullcontext(wait))  # noqa: B010  a function, which a type checker guards


if __name__ == "__main__":
    _without_fsync()
    run()
