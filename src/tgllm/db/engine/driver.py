"""Driver for PostgreSQL, which is installed only where it is used."""

from importlib.util import find_spec

from tgllm.api.errors import DatabaseError

__all__ = ["require_driver"]


def require_driver() -> None:
    """Check that the driver is installed, before it is imported.

    Raises:
        DatabaseError: it is not; the message says how to install it.
    """
    if find_spec("psycopg") is None:
        raise DatabaseError(
            "A database on PostgreSQL needs a package that is not installed. Install it with: "
            "pip install 'tgllm[postgres]'",
            code="database_driver",
        )
