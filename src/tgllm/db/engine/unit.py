"""The types of work that is done in a transaction, for those who combine it but write no SQL."""

import sqlite3
from collections.abc import Callable
from typing import TypeAlias

__all__ = ["Connection", "Unit"]

Connection: TypeAlias = sqlite3.Connection
"""What the functions of the table modules are given: a connection in a transaction. Nothing else is done with it."""

Unit = Callable[[Connection], object]
"""Work to be done in the same transaction as something else."""
