"""Types of units of work, for modules that combine them without SQL of their own."""

import sqlite3
from collections.abc import Callable
from typing import TypeAlias

__all__ = ["Connection", "Unit"]

Connection: TypeAlias = sqlite3.Connection
"""Connection in a transaction; it is only passed on to functions of the table modules."""

Unit = Callable[[Connection], object]
"""Work to be done in the same transaction as other work."""
